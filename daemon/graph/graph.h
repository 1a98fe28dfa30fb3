#pragma once

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

// What an image says of the steps that start from it.
struct ImageConfig {
  Variables env;
  std::string working_dir = "/";
  std::string user;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::pair<std::string, std::string>> labels;
};

// FROM name:tag, or FROM scratch.
struct ImageOp {
  std::string reference;
};

// RUN: the text goes to /bin/sh -c in the container, never expanded before.
struct ExecOp {
  std::string command;
  Variables env;  // all that the step sees: the image's, ENV, and the active ARGs
  std::string working_dir = "/";
  std::string user;
  bool no_cache = false;  // run it even where the same was run before
};

// COPY of files of the context.
struct CopyOp {
  std::vector<std::string> sources;       // globs, relative to the context
  std::string destination;                // absolute
  bool destination_is_directory = false;  // it was written with a trailing slash
  bool dir = false;                       // --dir: a directory itself, not its contents
  bool if_exists = false;
  bool keep_ts = false;
  bool keep_own = false;
  bool symlink_no_follow = false;
  std::string chown;  // "user[:group]", names or numbers; empty: root:root
  std::optional<unsigned> chmod;
};

// WORKDIR: made when it is not there.
struct MakeDirectoryOp {
  std::string path;
};

using Operation = std::variant<ImageOp, ExecOp, CopyOp, MakeDirectoryOp>;

struct Step {
  Operation operation;
  std::optional<StepId> parent;  // always an earlier step; none for an ImageOp
  std::string target;            // "+name", for the log
  std::string text;              // the command as written, for the log
  proto::Position position;
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

struct Graph {
  std::vector<Step> steps;  // parents come before their children
  std::vector<SaveArtifact> artifacts;
};

}  // namespace ingot::graph
