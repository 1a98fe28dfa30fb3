#pragma once

#include <chrono>
#include <filesystem>

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/process.h"

namespace ingot::solver {

// Who does what LOCALLY says: the client of a build, as its user. All of these wait for it; kind `unavailable` when it
// goes meanwhile. Thread-safe.
class ClientSide {
 public:
  virtual ~ClientSide() = default;
  struct Command {
    std::string text;  // for /bin/sh
    std::string directory;
    graph::Variables env;                // besides the client's own
    std::chrono::milliseconds limit{0};  // 0: none
  };
  // Its exit code, whatever it is; an error is one of running it at all.
  virtual Result<int> run(const Command& command, const sys::OutputSink& output, const sys::CancelToken& cancel) = 0;
  // Writes what it finds into a new tar.
  virtual Status take(const graph::TakeOp& op, const std::filesystem::path& tar, const sys::CancelToken& cancel) = 0;
  virtual Status give(const graph::GiveOp& op, const std::filesystem::path& tar, const sys::CancelToken& cancel) = 0;
};

}  // namespace ingot::solver
