#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "daemon/pipeline/admission.h"
#include "daemon/pipeline/job_client.h"
#include "daemon/pipeline/job_observer.h"
#include "daemon/pipeline/run_job.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

// What a job builds: first what its recipe asks as it is read, each question with all that it stands on, and then the
// whole. What one build made the others find, and all of it is kept until the job has ended. Recipes are read by
// several threads, so these may ask side by side.
class JobBuilds {
 public:
  JobBuilds(const Engine& engine, jobs::JobRun& run, std::shared_ptr<const solver::Context> context,
            image::JobImages& images, std::shared_ptr<git::JobRepositories> repositories,
            std::shared_ptr<JobClient> client);
  ~JobBuilds();

  // Of the graph's last step.
  Result<graph::Answer> ask(const graph::Graph& graph);
  Result<std::string> shell_program(const graph::Graph& graph);
  Result<std::string> step_file(const graph::Graph& graph, const std::string& path);
  // Makes what the graph has on a thread of its own, while the recipe waits for an answer: the whole will want it.
  // Nothing, where may_begin() says no.
  void begin(const graph::Graph& graph);
  // Not while an earlier one is under way.
  bool may_begin();
  // Makes what the graph has, and waits for it: all but what pushes.
  Status build_now(const graph::Graph& graph);
  // The recipe cannot be read, and `known` is what is known of it: what is under way for it ends.
  void give_up(const graph::Graph& known);
  using Made = std::function<void(graph::StepId step, const store::Lease& result)>;
  // The whole: what pushes last, and only if all else succeeds. Nothing is under way for the job any more after it.
  Result<solver::Build*> build(const graph::Graph& graph, Made made);
  // Canceled with the job, and when nothing is to go on for it.
  sys::CancelToken cancel_token() const { return given_up_.token(); }

  // What was begun early and failed: it is why all the rest was given up. Waits for it to end.
  Status early_end();
  // After a failure: what FINALLY saves of the step that failed. What cannot be saved is only told.
  std::vector<proto::Artifact> saved_all_the_same();
  // For `ingot why`, also after a failure. What cannot be kept costs the job nothing.
  void record_steps();

 private:
  struct One {
    graph::Graph graph;
    std::unique_ptr<JobObserver> observer;
    std::unique_ptr<solver::Build> build;
  };
  Result<solver::Build*> run(graph::Graph graph, Made made);
  std::shared_ptr<void> step_aside();
  Status wait_for_room(const graph::Graph& graph, const std::vector<graph::StepId>& steps);
  Result<Needs> expected_needs(const graph::Graph& graph, const std::vector<graph::StepId>& steps) const;
  std::map<std::size_t, jobs::StepRecord> step_records() const;

  const Engine& engine_;
  jobs::JobRun& run_;
  const std::shared_ptr<const solver::Context> context_;
  image::JobImages& images_;
  const std::shared_ptr<git::JobRepositories> repositories_;
  const std::shared_ptr<const proto::Secrets> secrets_;  // that steps may ask for
  const std::shared_ptr<JobClient> client_;
  const std::shared_ptr<solver::JobResults> results_ = std::make_shared<solver::JobResults>();
  sys::CancelSource given_up_;
  ToldSteps told_;
  JobObserver notes_;

  // What steps of builds_ use until they have ended.
  std::mutex room_mutex_;   // held while the job waits for room: all of it does then
  Admission::Place place_;  // null: it was not asked for yet
  std::mutex aside_mutex_;
  std::weak_ptr<void> aside_;  // the job steps aside once, however many of its commands its client runs

  std::mutex mutex_;       // guards what follows while several threads are at work; the last is of the job's own
  std::list<One> builds_;  // each is run by one thread
  bool begins_ = false;    // early_ is at work
  Status begun_;           // how that ended
  graph::Graph known_;     // of the recipe, when it failed

  std::thread early_;
};

}  // namespace ingot::pipeline
