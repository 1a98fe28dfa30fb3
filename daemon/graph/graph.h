#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/base/digest.h"
#include "proto/error.h"

// What a target is built from, as pure data: the interpreter writes it, the solver executes it.
namespace ingot::graph {

// Index into Graph::steps.
using StepId = std::size_t;

using Variables = std::vector<std::pair<std::string, std::string>>;  // in order of declaration, names unique

// The same for steps: each has all variables of its recipe, and most have what the one before had. Copies share one
// list, and what was made of it for the steps' digests.
class SharedVariables {
 public:
  using value_type = Variables::value_type;
  using const_reference = Variables::const_reference;
  using const_iterator = Variables::const_iterator;
  using iterator = const_iterator;

  SharedVariables() = default;
  SharedVariables(Variables list)  // NOLINT(google-explicit-constructor): it is one
      : shared_(list.empty() ? nullptr : std::make_shared<Shared>(std::move(list))) {}
  SharedVariables(std::initializer_list<value_type> list) : SharedVariables(Variables(list)) {}

  const Variables& list() const {
    static const Variables kNone;
    return shared_ ? shared_->list : kNone;
  }
  // What `make` makes of the list, made once; it is always given the same function.
  const std::string& encoded(std::string (*make)(const Variables&)) const {
    static const std::string kNone = make({});
    if (!shared_) return kNone;
    std::call_once(shared_->is_encoded, [&] { shared_->encoded = make(shared_->list); });
    return shared_->encoded;
  }
  operator const Variables&() const { return list(); }  // NOLINT(google-explicit-constructor)
  const_iterator begin() const { return list().begin(); }
  const_iterator end() const { return list().end(); }
  std::size_t size() const { return list().size(); }
  bool empty() const { return list().empty(); }
  const_reference operator[](std::size_t at) const { return list()[at]; }
  const_reference front() const { return list().front(); }
  const_reference back() const { return list().back(); }
  bool operator==(const SharedVariables& other) const { return list() == other.list(); }

 private:
  struct Shared {
    explicit Shared(Variables variables) : list(std::move(variables)) {}
    const Variables list;
    std::once_flag is_encoded;
    std::string encoded;
  };
  std::shared_ptr<Shared> shared_;
};

// HEALTHCHECK. `test` is as in an OCI image: {"CMD", ...}, {"CMD-SHELL", text} or {"NONE"}; times in nanoseconds, 0:
// the runtime's default.
struct Healthcheck {
  std::vector<std::string> test;
  std::int64_t interval_ns = 0;
  std::int64_t timeout_ns = 0;
  std::int64_t start_period_ns = 0;
  std::int64_t start_interval_ns = 0;
  int retries = 0;

  bool operator==(const Healthcheck&) const = default;
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

  bool operator==(const ImageConfig&) const = default;
};

// FROM name:tag, or FROM scratch.
struct ImageOp {
  std::string reference;
  std::string platform = {};  // see base::foreign_platform; scratch has none
};

// RUN --mount: what a step sees besides its own file system. Nothing of it is in the step's layer.
struct Mount {
  enum class Kind { cache, tmpfs, secret, bind, ssh };
  enum class Sharing { shared, private_, locked };
  Kind kind = Kind::cache;
  std::string target;                 // absolute
  std::string id;                     // of a cache, or the name of a secret
  Sharing sharing = Sharing::locked;  // of a cache
  std::optional<StepId> from;         // bind: the step whose file system is mounted, read-only
  std::string source = "/";           // bind: a directory or file in it
  std::optional<unsigned> mode;       // of a cache's directory, a secret's file, or the socket of an SSH agent
  std::optional<std::uint32_t> uid;   // of a secret's file, or the socket; none: the step's user
  std::optional<std::uint32_t> gid;
  bool required = true;  // a secret, or the agent: without it the step fails, else there is no file
};

// RUN --secret NAME=id: a variable of the step that is in no key and no log.
struct SecretVariable {
  std::string name;
  std::string id;
};

// WITH DOCKER: an image that the step finds in a directory of its own, laid out as OCI has it.
struct StepImage {
  StepId from = 0;  // the step whose file system it is
  std::string name;
  ImageConfig config;
  std::string target;         // of the directory; absolute
  std::string platform = {};  // see base::foreign_platform
};

// LOCALLY: where on the side of who builds something is done. It is done in each build, in the order of the recipe: the
// parent of such a step is what comes before it, and no file system.
struct LocalPlace {
  std::string directory;  // of the project as the client knows it, "" for its own; or absolute
  std::string target;     // "+name": what two targets do there is done twice
};

// RUN: the text goes to /bin/sh -c in the container, never expanded before.
struct ExecOp {
  std::string command;
  // It is asked something, as by IF and $(...): how it ends and what it prints is all that it leaves, see Answer.
  bool asks = false;
  SharedVariables env;  // all that the step sees: the image's, ENV, and the active ARGs
  std::string working_dir = "/";
  std::string user;
  bool no_cache = false;  // run it even where the same was run before
  bool privileged = false;
  bool no_network = false;
  std::vector<Mount> mounts;
  std::vector<SecretVariable> secrets;
  std::vector<std::pair<std::string, std::string>> hosts = {};  // HOST: names with their addresses
  std::vector<StepImage> images = {};
  std::string platform = {};             // see base::foreign_platform: the host must be able to run its programs
  std::optional<LocalPlace> local = {};  // there, and in no container
};

// SAVE ARTIFACT under LOCALLY: files of the client's side as a file system, under the names that they have there; those
// of the place's own directory are at the top.
struct TakeOp {
  LocalPlace place;
  std::string source;  // a path or glob, relative to the place or absolute
  bool if_exists = false;
};

// COPY under LOCALLY: what is at the top of a step's file system goes to the client's side.
struct GiveOp {
  LocalPlace place;
  StepId from = 0;
  std::string destination;  // relative to the place, or absolute; a trailing slash means a directory
  bool dir = false;         // --dir: a directory itself, not its contents
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

// A repository's files at a commit, with a .git directory that has this one commit. It stands on nothing.
struct GitOp {
  std::string url;     // as the recipe has it, without credentials
  std::string commit;  // in full
  std::string tag;     // by which it was asked for, if it was: the .git directory knows it
  std::string ref;  // what had this commit ("refs/heads/main"), for servers that give no others; no part of what it is
};

using Operation = std::variant<ImageOp, ExecOp, CopyOp, MakeDirectoryOp, WriteFileOp, GitOp, TakeOp, GiveOp>;

// The socket by which a step speaks to the SSH agent of who builds, the first if it has several; null: it has none.
const Mount* agent_of(const ExecOp& op);

// Whether it is done by the client, under LOCALLY.
bool is_local(const Operation& operation);

struct Step {
  Operation operation;
  std::optional<StepId> parent;  // always an earlier step; none for an ImageOp and a GitOp
  std::string target;            // "+name", for the log
  std::string text;              // the command as written, for the log
  proto::Position position;
  bool anew = false;           // its target is to run anew: no part of what it is, so in no definition
  bool keeps_failure = false;  // TRY: what it wrote is kept for FINALLY though it fails; in no definition
  bool pushes = false;  // RUN --push: it has its effect outside, and waits for all that has none; in no definition
  // Of the operation, where somebody computed it: with a hundred variables that takes longer than all else. Whoever
  // changes the operation forgets it.
  std::optional<base::Digest> operation_digest = {};
  // What the job calls it, from 1 on; it keeps its number while others are left out of the graph.
  std::size_t number = 0;
};

// What a command that is asked something said: its exit code, and what it printed on its standard output.
struct Answer {
  int exit_code = 0;
  std::string output;

  bool operator==(const Answer&) const = default;
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
  bool after_failure = false;  // FINALLY: handed out also when the step that it is from has failed
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
  bool insecure = false;      // --insecure: a registry without TLS
  bool stands_alone = false;  // --no-manifest-list: it is in no index with those of other platforms
  std::string platform = {};  // see base::foreign_platform
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
