#pragma once

#include <list>
#include <memory>

#include "daemon/pipeline/admission.h"
#include "daemon/pipeline/job_observer.h"
#include "daemon/pipeline/run_job.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

// What a job builds: first what its recipe asks as it is read, each question with all that it stands on, and then the
// whole. What an earlier build made the next finds, and all of it is kept until the job has ended.
class JobBuilds {
 public:
  JobBuilds(const Engine& engine, jobs::JobRun& run, std::shared_ptr<const solver::Context> context,
            image::JobImages& images, JobObserver& observer);

  // Of the graph's last step.
  Result<graph::Answer> ask(const graph::Graph& graph);
  Result<std::string> shell_program(const graph::Graph& graph);
  Result<std::string> step_file(const graph::Graph& graph, const std::string& path);
  using Made = std::function<void(graph::StepId step, const store::Lease& result)>;
  Result<solver::Build*> build(const graph::Graph& graph, Made made);

  // For `ingot why`, also after a failure. What cannot be kept costs the job nothing.
  void record_steps() const;

 private:
  struct One {
    graph::Graph graph;
    std::unique_ptr<solver::Build> build;
  };
  Result<solver::Build*> run(const graph::Graph& graph, Made made);
  Status wait_for_room(const graph::Graph& graph, const std::vector<graph::StepId>& steps);
  Result<std::uint64_t> expected_bytes(const graph::Graph& graph, const std::vector<graph::StepId>& steps) const;

  const Engine& engine_;
  jobs::JobRun& run_;
  const std::shared_ptr<const solver::Context> context_;
  image::JobImages& images_;
  JobObserver& observer_;
  Admission::Place place_;  // null: it was not asked for yet
  std::list<One> builds_;
};

}  // namespace ingot::pipeline
