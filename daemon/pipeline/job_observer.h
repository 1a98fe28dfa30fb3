#pragma once

#include <mutex>
#include <set>
#include <string>

#include "daemon/jobs/job_log.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

// Writes what a job's builds tell to its log. A step without text is one that nobody wrote: it is not told. Nor is one
// told again that an earlier build of the job had.
class JobObserver : public solver::Observer {
 public:
  explicit JobObserver(jobs::JobLog& log) : log_(log) {}

  void step_started(const std::string& step, const graph::Step& what, bool cached) override;
  void output(const std::string& step, const graph::Step& what, sys::Stream stream, std::string_view bytes) override;
  void step_ended(const std::string& step, const graph::Step& what, const StepEnd& end) override;
  void note(const std::string& text) override;

 private:
  bool is_told(const std::string& step);

  jobs::JobLog& log_;
  std::mutex mutex_;  // guards ended_
  std::set<std::string> ended_;
};

}  // namespace ingot::pipeline
