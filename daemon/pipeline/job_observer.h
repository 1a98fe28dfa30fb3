#pragma once

#include "daemon/jobs/job_log.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

// Writes what a build tells to its job's log. A step without text is one that nobody wrote: it is not told.
class JobObserver : public solver::Observer {
 public:
  explicit JobObserver(jobs::JobLog& log) : log_(log) {}

  void step_started(const std::string& step, const graph::Step& what, bool cached) override;
  void output(const std::string& step, const graph::Step& what, sys::Stream stream, std::string_view bytes) override;
  void step_ended(const std::string& step, const graph::Step& what, const StepEnd& end) override;
  void note(const std::string& text) override;

 private:
  jobs::JobLog& log_;
};

}  // namespace ingot::pipeline
