#pragma once

#include <memory>

#include "daemon/pipeline/context_host.h"
#include "daemon/pipeline/run_job.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

// Answers to what a recipe asks, as far as they are known from before: nothing runs for one. Each of these is for one
// interpretation, by the numbers of whose steps it knows them.
class KnownAnswers {
 public:
  // Of these images, too, as their policy is.
  KnownAnswers(const Engine& engine, const proto::JobSpec& spec, std::shared_ptr<const solver::Context> context,
               image::JobImages& images, const sys::CancelToken& cancel)
      : engine_(engine), spec_(spec), context_(std::move(context)), images_(images), cancel_(cancel) {}

  // Not to be used for longer than this.
  ContextHost::Questions questions();
  // Of the steps that were asked about.
  const std::shared_ptr<solver::KnownKeys>& keys() const { return results_->keys(); }

 private:
  // What `what` says of the graph's last step; none when what that leaves is not known.
  template <typename Answer, typename What>
  Result<std::optional<Answer>> look(const graph::Graph& graph, const What& what) const;

  const Engine& engine_;
  const proto::JobSpec& spec_;
  const std::shared_ptr<const solver::Context> context_;
  image::JobImages& images_;
  const sys::CancelToken cancel_;
  const std::shared_ptr<solver::JobResults> results_ = std::make_shared<solver::JobResults>();
};

// Who looks at a build that runs nothing.
class Silence : public solver::Observer {
 public:
  void step_started(const std::string&, const graph::Step&, bool) override {}
  void output(const std::string&, const graph::Step&, sys::Stream, std::string_view) override {}
  void step_ended(const std::string&, const graph::Step&, const StepEnd&) override {}
  void note(const std::string&) override {}
};

}  // namespace ingot::pipeline
