#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/sandbox/network_pool.h"
#include "daemon/sandbox/oci_spec.h"
#include "daemon/sandbox/runtime.h"
#include "daemon/sandbox/sandbox.h"
#include "daemon/sys/rooted.h"

namespace ingot::sandbox {

// The Sandbox that really runs containers. What is slow at start (trying the runtime, ending what an earlier daemon
// left, the first networks) happens on a thread; the first step waits for what it needs of that.
class OciSandbox : public Sandbox {
 public:
  OciSandbox(Settings settings, Result<sys::Cgroups> cgroups, sys::ProcessRunner& processes);
  ~OciSandbox() override;

  Result<StepOutcome> run(const StepSpec& step, const sys::OutputSink& sink, const sys::CancelToken& cancel) override;
  std::vector<proto::HostCheck> checks() override;

 private:
  void get_ready();
  void log_runtime() const;
  bool prepare_network();
  void await_ready();
  Status check_allowed(const StepSpec& step) const;
  Result<StepOutcome> run_in(const StepSpec& step, const fs::path& bundle, const std::string& id,
                             const sys::OutputSink& sink, const sys::CancelToken& cancel);
  Result<StepOutcome> execute(const StepSpec& step, const fs::path& bundle, const std::string& id,
                              const sys::OutputSink& sink, const sys::CancelToken& cancel);
  Status write_bundle(const StepSpec& step, const Bundle& bundle, const store::Account& account) const;
  std::string cgroup_of(const std::string& id) const { return cgroup_ + "/" + id; }
  std::vector<proto::HostCheck> network_checks();

  Settings settings_;
  Status has_cgroups_;    // why not, on a host without
  sys::Cgroups cgroups_;  // empty on such a one
  bool counts_swap_ = true;
  sys::ProcessRunner* processes_;
  std::string cgroup_;  // the parent of all steps' cgroups, of this daemon alone
  NetworkPool networks_;

  std::mutex mutex_;  // guards ready_; the two below it are written before it is set
  std::condition_variable became_ready_;
  bool ready_ = false;
  Runtime runtime_;
  std::optional<fs::path> mount_points_;  // below every step's layers; none: each step makes what it lacks
  sys::CancelSource stopping_;            // cuts the preparation short
  std::thread preparation_;
};

}  // namespace ingot::sandbox
