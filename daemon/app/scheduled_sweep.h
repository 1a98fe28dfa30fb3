#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "daemon/schedule/plan.h"
#include "daemon/sys/process.h"

namespace ingot::app {

// Submits the sweep of a schedule, as a user would: by the client, which packs the project and checks every cell. It
// runs as whom the sweep's file belongs to, so that a file of somebody else's reads nothing for them.
struct ScheduledSweeps {
  std::filesystem::path socket;
  std::filesystem::path caches;  // a directory of the client's own for each user: digests of files
  // The sweep that a user submitted by that key, whatever became of the project since; empty: none.
  std::function<Result<std::string>(unsigned uid, const std::string& key)> find;
  sys::ProcessRunner& processes;

  Result<std::string> submit(const schedule::Plan& plan, const std::string& key, const sys::CancelToken& cancel) const;
};

}  // namespace ingot::app
