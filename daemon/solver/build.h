#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/mask.h"
#include "daemon/graph/graph.h"
#include "daemon/image/job_images.h"
#include "daemon/solver/job_results.h"
#include "daemon/solver/keys.h"
#include "daemon/solver/parts.h"
#include "daemon/solver/solver.h"

namespace ingot::solver {

// What a build is told as it goes, by several threads at once; the pipeline writes it to the job's log.
class Observer {
 public:
  virtual ~Observer() = default;
  // `cached`: it will not run.
  virtual void step_started(const std::string& step, const graph::Step& what, bool cached) = 0;
  virtual void output(const std::string& step, const graph::Step& what, sys::Stream stream, std::string_view bytes) = 0;
  struct StepEnd {
    int exit_code = 0;
    double seconds = 0;
    bool cached = false;
  };
  virtual void step_ended(const std::string& step, const graph::Step& what, const StepEnd& end) = 0;
  virtual void note(const std::string& text) = 0;
};

struct BuildRequest {
  const graph::Graph& graph;
  std::shared_ptr<const Context> context;
  Surroundings surroundings;
  sys::CancelToken cancel;
  std::string submitter;
  int priority = 0;
  bool no_cache = false;               // every step is run anew
  image::JobImages* images = nullptr;  // what names of images mean; none: what is kept, or is fetched
  std::shared_ptr<const proto::Secrets> secrets = nullptr;  // null: none
  std::shared_ptr<const base::Mask> mask = nullptr;         // hides them from whoever joins a step of this build
  std::set<std::string> lost_secrets = {};                  // ids that it had and has no more
  // Asked once, before the first step runs: with those that run, or may.
  std::function<Status(const std::vector<graph::StepId>& steps)> admit = {};
  // Of each wanted step, once its file system is there; by one thread.
  std::function<void(graph::StepId step, const store::Lease& result)> made = {};
  // Of all builds of the same job; null: there are no others.
  std::shared_ptr<JobResults> results = nullptr;
  std::shared_ptr<git::JobRepositories> repositories = nullptr;  // null: the graph has none
  std::shared_ptr<ClientSide> client = nullptr;                  // does what LOCALLY says, lends an agent; null: nobody
  StepAside step_aside = {};
};

// A graph's file systems, as far as they are wanted: what the cache has is not made, and what only that stands on is
// not even looked for. The rest is made side by side. Its results are kept from being collected as long as it lives.
class Build {
 public:
  Build(Solver& solver, const BuildRequest& request, Observer& observer);
  ~Build();
  Build(const Build&) = delete;
  Build& operator=(const Build&) = delete;

  // A step that fails is kind `step_failed`, with its position; what else is under way for this build alone is given
  // up.
  Status run();
  // Instead of run(): what would be done, without doing it. Images are fetched for it.
  enum class Foresight { cached, not_needed, runs, may_run };
  Result<std::vector<Foresight>> plan();
  // After plan(), too: whether the host can run those steps that are wanted and not there.
  Status check_platforms() const;
  // After run(), also after one that failed: what was done about a step, in a word; empty: the build ended before it.
  const std::string& how(graph::StepId id) const { return nodes_.at(id).how; }
  // The same with all that is known of it. Of a step that has no word there is nothing.
  struct Record {
    std::string how;  // as proto::StepReport has it
    double seconds = 0;
    bool asked_to_run = false;
    // Of the parts, equal where they are; empty: they have none that is known before they are made.
    std::string parts_digest;
    std::function<Parts()> parts;
    std::uint64_t bytes = 0;      // of the layer that it made
    bool stands_on_anew = false;  // not itself, but what it stands on was asked to run
  };
  Record record(graph::StepId id) const;
  // After run(): a step's file system.
  const store::Lease& result(graph::StepId id) const { return *nodes_.at(id).result; }
  // After run(): what a step that asks was told.
  Result<graph::Answer> answer(graph::StepId id) const;
  // After run(): the program that /bin/sh is there; "" when that is not to be said.
  Result<std::string> shell_program(graph::StepId id) const;
  // After run(): a file of its file system; kind `not_found` when it is not there.
  Result<std::string> file(graph::StepId id, const std::string& path) const;
  // After run(): what SAVE ARTIFACT hands out.
  Result<std::vector<proto::Artifact>> save(const graph::SaveArtifact& artifact);

 private:
  struct Node {
    bool wanted = false;
    bool stands_on_anew = false;            // so its definition does not say what it will be made from
    bool started = false;                   // the observer was told
    unsigned missing = 0;                   // inputs that are still to come
    std::vector<graph::StepId> dependents;  // wanted steps that wait for it
    std::optional<store::Lease> result;
    std::unique_ptr<Flights::Seat> seat;
    std::chrono::steady_clock::time_point begun;
    std::string how;
    double seconds = 0;
  };
  struct Landing {
    graph::StepId id;
    Result<StepResult> result;
  };

  // Whether it runs whatever the cache has: its RUN, its target or its job says so.
  bool is_asked_to_run(graph::StepId id) const;
  void find_what_stands_on_anew();
  Status resolve_images();
  Status look_up();
  void take_what_the_job_has();
  Status touch_results();
  void tell_of_what_is_there();
  Status ask_for_admission();
  static Result<StepResult> fly_once(Solver& solver, const Solver::Wanted& wanted, JobResults& results,
                                     std::size_t number, const Flights::Cockpit& cockpit);
  void launch(graph::StepId id);
  Status land(Landing landing);
  std::optional<Landing> next_landing();
  void started(graph::StepId id);
  std::uint64_t made_bytes(graph::StepId id) const;
  // build_checks.cpp, where check_platforms() is, too
  Status check_secrets() const;
  Status check_agent() const;

  static Error at_step(Error error, const graph::Step& step);
  // By its number in the job; a graph that nobody numbered has its places.
  std::size_t number_of(graph::StepId id) const { return step(id).number != 0 ? step(id).number : id + 1; }
  std::string name_of(graph::StepId id) const { return std::to_string(number_of(id)); }
  const graph::Step& step(graph::StepId id) const { return request_.graph.steps[id]; }

  Solver& solver_;
  const BuildRequest request_;
  Observer& observer_;
  const std::shared_ptr<JobResults> results_;
  std::vector<Node> nodes_;
  std::vector<StepKey> keys_;
  std::size_t under_way_ = 0;
  bool runs_ = false;  // and does not only look

  std::mutex mutex_;  // guards what flights hand over
  std::condition_variable changed_;
  std::deque<Landing> landings_;
};

}  // namespace ingot::solver
