#pragma once

#include <map>
#include <mutex>
#include <string>

#include "daemon/jobs/job_log.h"
#include "daemon/solver/build.h"

namespace ingot::pipeline {

// What a job's log was told so far. Several builds of a job may have the same step: the first of them tells of it, that
// it is there, or that it runs. What was there as it was not needed may still run later.
class ToldSteps {
 public:
  bool may_tell(const void* build, const std::string& step, bool cached) {
    std::lock_guard lock(mutex_);
    if (!cached) return runs_.try_emplace(step, build).first->second == build;
    return !runs_.contains(step) && there_.try_emplace(step, build).first->second == build;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, const void*> runs_;
  std::map<std::string, const void*> there_;
};

// Writes what one of a job's builds tells to the job's log. A step without text is one that nobody wrote: it is not
// told.
class JobObserver : public solver::Observer {
 public:
  JobObserver(jobs::JobLog& log, ToldSteps& told) : log_(log), told_(told) {}

  void step_started(const std::string& step, const graph::Step& what, bool cached) override;
  void output(const std::string& step, const graph::Step& what, sys::Stream stream, std::string_view bytes) override;
  void step_ended(const std::string& step, const graph::Step& what, const StepEnd& end) override;
  void note(const std::string& text) override;

 private:
  jobs::JobLog& log_;
  ToldSteps& told_;
};

}  // namespace ingot::pipeline
