#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "daemon/base/platform.h"
#include "daemon/earthfile/docker_script.h"
#include "daemon/earthfile/docker_stages.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/graph_writer.h"
#include "daemon/earthfile/options.h"
#include "daemon/earthfile/scope.h"
#include "daemon/earthfile/strands.h"
#include "daemon/earthfile/units.h"
#include "daemon/shell/shell.h"
#include "daemon/text/fail_at.h"

namespace ingot::earthfile {

using Overrides = std::map<std::string, std::string>;

// What a short name of another Earthfile stands for.
struct Import {
  std::string directory;  // of the project, or of the checkout
  const Checkout* checkout = nullptr;
  std::string repository = {};    // "github.com/org/repo:v1", looked at when it is used; empty: the above
  bool allow_privileged = false;  // of a repository: its IMPORT says so
};

// The platform that a target is built for, by who refers to it.
struct Inherited {
  base::Platform platform = base::native_platform();
  bool is_given = false;  // somebody said so, by --platform
};

// Where a recipe has got to: its file system, and what the next command inherits.
struct Progress {
  std::optional<graph::StepId> step;
  base::Platform platform = base::native_platform();  // of that file system
  std::optional<graph::StepId> artifacts;  // a file system of what it saved so far, for those who COPY from it
  graph::ImageConfig image;                // what it says of its image; environment, directory and user are below
  bool has_own_cmd = false;
  std::string saved_image;                                 // the name that it last gave its image
  std::vector<graph::Mount> caches;                        // that every RUN sees
  std::vector<graph::Mount> persistent_caches;             // of these: who stands on this has a copy of them
  std::string pushed;                                      // "RUN --push of line 4": only what pushes may follow it
  std::vector<std::pair<std::string, std::string>> hosts;  // that every RUN knows
  std::map<std::string, Import> imports;
  Scope scope;
  std::string working_dir = "/";
  std::string user;
  std::optional<graph::LocalPlace> local;  // under LOCALLY: where the client does what comes next
};

// What WITH DOCKER puts around its RUN.
struct DockerBlock {
  DockerScript script;
  std::vector<graph::StepImage> images;
  graph::Mount store;
};

// One recipe being interpreted.
struct Frame {
  const Unit* unit = nullptr;  // whose commands these are: what it refers to is seen from there
  std::string context;         // the directory that COPY takes files from
  std::string target;          // "+name"; a function's is its caller's
  bool is_base = false;
  bool is_requested = false;   // by the user
  bool gives_results = false;  // its local artifacts and its images are the job's: so with what it BUILDs
  Overrides overrides;         // of ARGs, by the user and by who refers to this target
  Progress progress;
  const Checkout* checkout = nullptr;   // what `context` is a directory of; null: the project
  bool tries = false;                   // in TRY: what the command writes is kept though it fails
  bool is_finally = false;              // in FINALLY, so after a command that may have failed
  const DockerBlock* docker = nullptr;  // the block that a RUN is in
  bool waits = false;                   // in a WAIT that is waited for: see Interpreter::wait
  Inherited inherited = {};             // what a FROM without --platform, and what is referred to, is for
  // The reference on the way to this recipe that leads to another repository without --allow-privileged, as
  // "FROM github.com/org/repo+t of Earthfile:3". Empty: it may have privileges, as far as the host lets anybody.
  std::string unprivileged_by = {};
  // Whose recipes are on the way to this one, itself included, besides the project's: see asked_by_too().
  std::string asked_by = {};

  bool has(std::string_view feature) const { return unit->file.has(feature); }
};

// What "+name", "./directory+name" or "alias+name" means.
struct Reference {
  const Unit* unit = nullptr;
  std::string name;
  std::string unprivileged_by = {};  // of the frame that is interpreted for it
  std::string asked_by = {};         // the same
};

// Walks the commands of a target and of what it stands on, and writes their steps into one graph. What need not wait
// for each other is walked side by side, see Strands.
class Interpreter {
 public:
  Interpreter(const File& file, const Request& request, Host& host);
  Result<Interpretation> run();

 private:
  // With whether it gives results, whether it may have privileges, and who asks.
  using TargetKey = std::tuple<const Unit*, std::string, Overrides, bool, bool, std::string, base::Platform>;
  static TargetKey key_of(const Reference& target, const Overrides& overrides, bool gives_results,
                          const Inherited& inherited) {
    return {target.unit,     target.name,       overrides, gives_results, target.unprivileged_by.empty(),
            target.asked_by, inherited.platform};
  }

  // Others find it so as long as this lives: also where an exception ends it.
  class BeingInterpreted {
   public:
    BeingInterpreted(Interpreter& interpreter, const TargetKey& key)
        : interpreter_(interpreter),
          key_(key),
          is_first_(interpreter.being_interpreted_.try_emplace(key, &interpreter.strands_.current()).second) {}
    ~BeingInterpreted() {
      if (!is_first_) return;
      interpreter_.being_interpreted_.erase(key_);
      interpreter_.strands_.tell();
    }
    BeingInterpreted(const BeingInterpreted&) = delete;
    BeingInterpreted& operator=(const BeingInterpreted&) = delete;

   private:
    Interpreter& interpreter_;
    const TargetKey& key_;
    const bool is_first_;
  };

  // interpreter.cpp
  // Of the file that the target is in.
  Result<Progress> base_recipe(const Reference& target, const Overrides& overrides, const Inherited& inherited);
  Result<Progress> target_recipe(const Reference& target, const Place& from, const Overrides& overrides,
                                 bool gives_results, const Inherited& inherited);
  Result<Progress> interpret_target(const Reference& target, const Recipe& recipe, const Overrides& overrides,
                                    bool gives_results, const Inherited& inherited);
  Result<Progress> requested(const std::string& name, const Inherited& inherited);
  Status check_way(const std::string& target, const Place& from);
  Result<Progress> requested_base(const Inherited& inherited);
  Result<Progress> requested_elsewhere(const Inherited& inherited);
  Result<Progress> interpret_recipe(Frame frame, const std::vector<Command>& commands);
  Status block(Frame& frame, const std::vector<Command>& commands);
  Result<const Recipe*> find_recipe(const Reference& target, const Place& from) const;
  bool may_remember(const Progress& progress);
  Status command(Frame& frame, const Command& command);
  Status check_command(const Frame& frame, const Command& command);
  Status count_commands(const Place& place, std::size_t commands, std::size_t bytes = 0);

  // One function a command. interpret_from.cpp
  Status from(Frame& frame, const Command& command);
  Status from_target(Frame& frame, const Word& word, const Reference& target, const Overrides& overrides,
                     const Inherited& inherited);
  Result<graph::ImageConfig> image_config(const std::string& reference, const base::Platform& platform,
                                          const Place& from);
  Status from_image(Frame& frame, const Command& command, const Word& word, const std::string& reference);
  // interpret_platform.cpp
  Result<std::optional<base::Platform>> platform_of(const Options::Value& option) const;
  // The last one that is given; empty where none is, or where its variable is empty.
  Result<std::optional<base::Platform>> platform_in(const Options& options) const;
  // The same for what a target is referred to, or begun with: of files that do not know `new-platform` none may be
  // given but the one that was given already.
  Result<Inherited> inherited_by(const Frame& frame, const Options::Value* option) const;
  base::Platform user_platform() const;
  // interpret_dockerfile.cpp
  Status from_dockerfile(Frame& frame, const Command& command);
  Result<DockerRequest> docker_request(Frame& frame, const Command& command);
  Result<DockerPath> docker_path(Frame& frame, const Word& word, const std::string& text, const Options& options,
                                 const Inherited& inherited);
  Result<DockerPath> docker_artifact(Frame& frame, const Word& word, const std::string& text, const Options& options,
                                     const Inherited& inherited);
  Result<std::string> text_of_dockerfile(const DockerRequest& request);
  Result<std::vector<std::string>> ignored_in_context(const Frame& frame, const DockerRequest& request);
  // interpret_build.cpp
  Status build(Frame& frame, const Command& command);
  Status build_target(Frame& frame, const Command& command, const Word& word, const std::string& reference,
                      const Options& options, const std::vector<std::pair<std::string, std::string>>& given,
                      const std::vector<Inherited>& platforms);
  Status build_beside(const Frame& frame, const Reference& target, const Place& from, const Overrides& overrides,
                      const Inherited& inherited);
  // interpret_beside.cpp
  // Gives others the turn while `wait` asks the host.
  template <typename Wait>
  auto aside(Wait wait) {
    use_the_wait();
    return strands_.aside(std::move(wait));
  }
  void use_the_wait();
  void look_ahead(const Frame& frame, const Command& command);
  void begin_early(const Frame& frame, const Word& word);
  void fail_late(Error error, const std::vector<RecipeUnderWay>& way);
  Result<std::optional<Progress>> known_target(const TargetKey& key);
  // Others who come to the same meanwhile wait for it, see known_target().
  template <typename Work>
  Result<Progress> interpret_once(const TargetKey& key, Work work) {
    const BeingInterpreted meanwhile(*this, key);
    auto progress = work();
    if (progress && may_remember(*progress)) targets_[key] = *progress;
    return progress;
  }
  // interpret_reference.cpp
  // `allow_privileged`: the command says so.
  Result<Reference> resolve(const Frame& frame, const Word& word, const std::string& text, bool allow_privileged);
  static Status check_may_have_privileges(const Frame& frame, const Place& place, const std::string& what);
  // The references that one with a pattern for its directory stands for; one without is alone.
  Result<std::vector<std::string>> matching(const Frame& frame, const Word& word, const std::string& reference,
                                            const std::string& feature);
  Result<std::string> directory_of(const Frame& frame, const Word& word, const std::string& text) const;
  Result<const Unit*> unit_in(const Checkout* checkout, const std::string& directory, const Word& word);
  Result<std::pair<std::string, std::string>> override_of(Frame& frame, const Word& word);
  // What stands behind a target: "--NAME=value" and "--NAME value", each as often as it is given.
  Result<std::vector<std::pair<std::string, std::string>>> given_in(Frame& frame, const std::vector<Word>& words);
  // What the recipe that is referred to is given: what this one was, as far as it is of the same Earthfile, and these.
  Result<Overrides> overrides_for(Frame& frame, const Reference& target, const Options& options,
                                  const std::vector<Word>& words);
  Status import(Frame& frame, const Command& command);
  // interpret_git.cpp
  Result<graph::StepId> repository_files(const Frame& frame, const Repository& repository, const Place& place);
  Result<const Unit*> unit_of_repository(const Frame& frame, const Word& word, const std::string& text);
  Result<std::string> file_of(const Checkout& checkout, const std::string& path, const Place& place);
  Status git_clone(Frame& frame, const Command& command);
  Result<std::string> builtin(Frame& frame, const Word& name);
  Result<std::map<std::string, std::string>> facts_of(const Checkout& checkout, const Place& place);
  // interpret_flow.cpp
  Status if_else(Frame& frame, const Command& command);
  Result<bool> holds(Frame& frame, const Command& branch);
  Status for_each(Frame& frame, const Command& command);
  Status wait(Frame& frame, const Command& command);
  Status try_finally(Frame& frame, const Command& command);
  // interpret_docker.cpp
  Status with_docker(Frame& frame, const Command& command);
  Result<graph::StepImage> pulled_image(Frame& frame, const Options::Value& option, const base::Platform& platform);
  Result<graph::StepImage> loaded_image(Frame& frame, const Options& options, const Options::Value& option,
                                        const Inherited& inherited);
  tl::unexpected<Error> fail_no_image(const Frame& frame, const Options::Value& option) const;
  static void put_into(const DockerBlock& block, graph::ExecOp& exec);
  // interpret_locally.cpp
  Status locally(Frame& frame, const Command& command);
  Status check_locally(const Frame& frame, const Command& command) const;
  static Status check_means_locally(const Frame& frame, const Command& command);
  static Status run_there(const Frame& frame, const Options& options, graph::ExecOp& exec, const Place& place);
  static void move_there(Frame& frame, const std::string& path);
  Status copy_there(Frame& frame, const Command& command, graph::CopyOp op, const std::string& destination,
                    const std::vector<Word>& sources, const Options& options);
  Result<graph::StepId> take_from_there(Frame& frame, const Command& command, const std::string& source,
                                        bool if_exists);
  // interpret_function.cpp
  Status call(Frame& frame, const Command& command);
  // interpret_question.cpp
  Status check_has_container(const Frame& frame, const Place& place) const;
  // What a condition that only looks at variables comes to, where that is certain.
  Result<std::optional<bool>> answered_here(Frame& frame, const graph::ExecOp& exec, const Place& place);
  Result<std::optional<shell::Shell>> shell_of(Frame& frame, const Place& place);
  tl::unexpected<Error> leave_open(const Place& place);
  Result<graph::Answer> ask(Frame& frame, graph::ExecOp exec, const std::string& text, const Place& place);
  Result<std::string> shell_out(Frame& frame, const std::string& command, const Place& place);
  // interpret_run.cpp
  Status run_command(Frame& frame, const Command& command);
  Result<graph::ExecOp> exec_of(Frame& frame, const Options& options, const Place& place);
  Status add_mount(Frame& frame, const Options::Value& option, graph::ExecOp& exec);
  Status cache(Frame& frame, const Command& command);
  Result<graph::StepId> with_persistent_caches(Frame& frame, const Progress& of, graph::StepId step,
                                               const Place& place);
  Result<std::string> with_entrypoint(const Frame& frame, const Command& command, const std::string& arguments) const;
  static void note_push(Frame& frame, const Command& command);
  static Status check_may_follow_push(const Frame& frame, const Command& command);
  Status host(Frame& frame, const Command& command);
  Status working_directory(Frame& frame, const Command& command);
  Status user(Frame& frame, const Command& command);
  // interpret_copy.cpp
  Status copy(Frame& frame, const Command& command);
  Status copy_artifact(Frame& frame, const Command& command, const graph::CopyOp& op, const Word& word,
                       const Options& options);
  Status copy_reference(Frame& frame, const Command& command, graph::CopyOp op, const std::vector<Word>& words,
                        const std::string& text, const Options& options);
  Result<std::string> copy_source(Frame& frame, const Word& word);
  Result<std::vector<std::string>> ignored_beside(const Frame& frame, const Place& place);
  // interpret_save.cpp
  Status save_artifact(Frame& frame, const Command& command);
  Status offer_artifact(Frame& frame, const Command& command, const graph::SaveArtifact& save);
  // interpret_image.cpp
  Status save_image(Frame& frame, const Command& command);
  static graph::ImageConfig config_of(const Progress& progress);
  // An image of the job that has a name, and what an error about it has to say.
  struct NamedImage {
    graph::SaveImage save;
    Place place;  // of the name
    bool must_be_new = false;
    std::vector<std::string> way;  // to its recipe, from the inside out
  };
  Status check_images_are_new() const;
  Status label(Frame& frame, const Command& command);
  Status entrypoint(Frame& frame, const Command& command);
  Status cmd(Frame& frame, const Command& command);
  Status expose(Frame& frame, const Command& command);
  Status volume(Frame& frame, const Command& command);
  Status healthcheck(Frame& frame, const Command& command);
  // interpret_variables.cpp
  Status arg(Frame& frame, const Command& command);
  Status let(Frame& frame, const Command& command);
  Status set(Frame& frame, const Command& command);
  Status env(Frame& frame, const Command& command);
  Result<std::string> arg_value(Frame& frame, const Word& name, const std::optional<Word>& fallback);
  Status store(Frame& frame, VariableTable& table, const Word& name, const std::string& value) const;

  // What words get their values from; the frame outlives it.
  Lookup lookup(Frame& frame);
  Result<std::string> value_of(Frame& frame, const Word& word);
  std::string hint_for_empty(const Frame& frame, const Word& word) const;

  // A command's flags, as far as the version of its file knows them.
  Result<Options> options_of(Frame& frame, const Command& command, const std::vector<OptionInfo>& known);
  // Where the command's file system stands; a target that nothing precedes begins with an empty one.
  Result<graph::StepId> current_step(Frame& frame, const Command& command);
  Status add_step(Frame& frame, const Command& command, graph::Operation operation);
  Result<graph::StepId> add_step_to(Frame& frame, std::optional<graph::StepId> parent, graph::Operation operation,
                                    const std::string& text, const Place& place);
  static std::vector<std::string> context_of(const std::vector<RecipeUnderWay>& way);
  // interpret_warnings.cpp
  void warn(const Place& place, std::string message, std::string hint = {});
  void warn_of_unknown_overrides();
  std::vector<std::string> warnings();
  Status check_anew() const;
  void warn_of_idle_anew();

  const Request& request_;
  Host& host_;
  Units units_;
  std::map<std::string, std::unique_ptr<const Checkout>> checkouts_;  // by url, commit and ref
  std::map<const Checkout*, std::map<std::string, std::string>> facts_;
  std::unique_ptr<const text::Source> said_;  // the request's target, when it is another repository's
  const Unit* requested_ = nullptr;           // the Earthfile of the request's target
  GraphWriter graph_;
  std::vector<std::pair<Rank, std::string>> warnings_;
  std::vector<graph::StepId> wanted_;                              // every step of the targets that give results
  std::optional<std::pair<Rank, proto::Position>> open_question_;  // the first
  std::map<TargetKey, Progress> targets_;                          // base recipes too, as "base"
  std::map<TargetKey, const Strands::Strand*> being_interpreted_;
  std::map<std::string, std::map<Rank, NamedImage>> images_;  // of the job, by name
  std::map<std::string, std::vector<std::string>> ignored_;   // by directory
  std::map<std::pair<std::string, base::Platform>, graph::ImageConfig>
      image_configs_;                               // by the names that recipes have; they mean one thing here
  std::map<graph::StepId, std::string> shells_;     // what /bin/sh is in a step's file system
  std::map<graph::StepId, graph::Answer> answers_;  // of what was asked already
  std::optional<Error> failure_;                    // of a strand that nobody waited for
  std::set<std::string> declared_;                  // names of every ARG that was met
  std::set<std::string> anew_;                      // of the request
  std::set<std::string> met_;                       // targets that had a step
  std::size_t commands_ = 0;                        // how many were interpreted, and what else took time
  std::size_t remembered_bytes_ = 0;                // of targets_
  std::size_t begun_ = 0;                           // how many of wanted_ the host was told to begin with
  Strands strands_;
};

}  // namespace ingot::earthfile
