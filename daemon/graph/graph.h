#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proto/error.h"

// What a target is built from, as pure data: the interpreter writes it, the solver executes it.
namespace ingot::graph {

// Index into Graph::steps.
using StepId = std::size_t;

using Variables = std::vector<std::pair<std::string, std::string>>;  // in order of declaration, names unique

// HEALTHCHECK. `test` is as in an OCI image: {"CMD", ...}, {"CMD-SHELL", text} or {"NONE"}; times in nanoseconds, 0:
// the runtime's default.
struct Healthcheck {
  std::vector<std::string> test;
  std::int64_t interval_ns = 0;
  std::int64_t timeout_ns = 0;
  std::int64_t start_period_ns = 0;
  int retries = 0;
};

// What an image says of the steps that start from it, and of the containers that are made of it.
struct ImageConfig {
  Variables env;
  std::string working_dir = "/";
  std::string user;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::string> exposed_ports;  // "80/tcp"
  std::vector<std::string> volumes;
  std::string stop_signal;
  std::optional<Healthcheck> healthcheck;
};

// FROM name:tag, or FROM scratch.
struct ImageOp {
  std::string reference;
};

// RUN --mount: what a step sees besides its own file system. Nothing of it is in the step's layer.
struct Mount {
  enum class Kind { cache, tmpfs, secret, bind };
  enum class Sharing { shared, private_, locked };
  Kind kind = Kind::cache;
  std::string target;                 // absolute
  std::string id;                     // of a cache, or the name of a secret
  Sharing sharing = Sharing::locked;  // of a cache
  std::optional<StepId> from;         // bind: the step whose file system is mounted, read-only
  std::string source = "/";           // bind: a directory or file in it
  std::optional<unsigned> mode;       // of a cache's directory, or a secret's file
  std::optional<std::uint32_t> uid;   // of a secret's file
  std::optional<std::uint32_t> gid;
  bool required = true;  // a secret: without it the step fails, else there is no file
};

// RUN --secret NAME=id: a variable of the step that is in no key and no log.
struct SecretVariable {
  std::string name;
  std::string id;
};

// RUN: the text goes to /bin/sh -c in the container, never expanded before.
struct ExecOp {
  std::string command;
  // It is asked something, as by IF and $(...): how it ends and what it prints is all that it leaves, see Answer.
  bool asks = false;
  Variables env;  // all that the step sees: the image's, ENV, and the active ARGs
  std::string working_dir = "/";
  std::string user;
  bool no_cache = false;  // run it even where the same was run before
  bool privileged = false;
  bool no_network = false;
  std::vector<Mount> mounts;
  std::vector<SecretVariable> secrets;
  std::vector<std::pair<std::string, std::string>> hosts = {};  // HOST: names with their addresses
};

// COPY of files of the context, or of another step's file system.
struct CopyOp {
  std::optional<StepId> from;             // none: the context
  std::vector<std::string> sources;       // globs, relative to the context; absolute in another step's file system
  std::string destination;                // absolute
  bool destination_is_directory = false;  // it was written with a trailing slash
  bool dir = false;                       // --dir: a directory itself, not its contents
  bool if_exists = false;
  bool keep_ts = false;
  bool keep_own = false;
  bool symlink_no_follow = false;
  std::string chown;  // "user[:group]", names or numbers; empty: root:root
  std::optional<unsigned> chmod;
  // Of the context: what counts as if it were not there, in the lines of a .dockerignore, relative to the context.
  std::vector<std::string> excluded;
};

// WORKDIR: made when it is not there.
struct MakeDirectoryOp {
  std::string path;
};

// COPY of a file that the recipe itself has the text of.
struct WriteFileOp {
  std::string name;                       // which it has in a directory
  std::string destination;                // absolute
  bool destination_is_directory = false;  // it was written with a trailing slash
  std::string content;
  std::string chown;  // as in CopyOp
  unsigned mode = 0644;
};

using Operation = std::variant<ImageOp, ExecOp, CopyOp, MakeDirectoryOp, WriteFileOp>;

struct Step {
  Operation operation;
  std::optional<StepId> parent;  // always an earlier step; none for an ImageOp
  std::string target;            // "+name", for the log
  std::string text;              // the command as written, for the log
  proto::Position position;
  bool anew = false;  // its target is to run anew: no part of what it is, so in no definition
  // What the job calls it, from 1 on; it keeps its number while others are left out of the graph.
  std::size_t number = 0;
};

// What a command that is asked something said: its exit code, and what it printed on its standard output.
struct Answer {
  int exit_code = 0;
  std::string output;
};

// SAVE ARTIFACT.
struct SaveArtifact {
  StepId from = 0;         // the step whose file system holds it
  std::string source;      // a path or glob in it, absolute
  std::string name;        // under which the target offers it, relative
  std::string local_path;  // AS LOCAL; empty: not asked for
  bool if_exists = false;
  bool keep_ts = false;
  bool keep_own = false;
  bool symlink_no_follow = false;
  bool force = false;
  std::string target;
  std::string text;
  proto::Position position;
};

// SAVE IMAGE: a step's file system as an OCI image.
struct SaveImage {
  StepId from = 0;
  ImageConfig config;
  std::string name;  // "registry/name:tag"; empty: the image has no name
  bool push = false;
  bool insecure = false;  // --insecure: a registry without TLS
  std::string target;
  std::string text;
  proto::Position position;
};

struct Graph {
  std::vector<Step> steps;  // what a step stands on comes before it
  std::vector<SaveArtifact> artifacts;
  std::vector<SaveImage> images;
};

// Every step that this one stands on: its parent, and what it copies or mounts from.
std::vector<StepId> inputs(const Step& step);
// The same, to be changed.
void rename_inputs(Step& step, const std::function<StepId(StepId)>& rename);

}  // namespace ingot::graph
