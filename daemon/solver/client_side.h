#pragma once

#include <chrono>
#include <filesystem>

#include "daemon/base/result.h"
#include "daemon/graph/graph.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/process.h"

namespace ingot::solver {

// The client of a build: it does what LOCALLY says, as its user, and lends his SSH agent. All of these wait for it;
// kind `unavailable` when it goes meanwhile. Thread-safe.
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
  struct Transfer {
    std::filesystem::path tar;
    std::chrono::milliseconds limit{0};  // 0: none
  };
  // Writes what it finds into a new tar.
  virtual Status take(const graph::TakeOp& op, const Transfer& into, const sys::CancelToken& cancel) = 0;
  virtual Status give(const graph::GiveOp& op, const Transfer& from, const sys::CancelToken& cancel) = 0;
  struct Image {
    std::string name;
    base::Digest digest;                 // of its manifest; the blobs are there until it is loaded
    std::chrono::milliseconds limit{0};  // 0: none
  };
  // Into the docker or podman of that side.
  virtual Status load(const Image& image, const sys::CancelToken& cancel) = 0;

  virtual bool lends_agent() const = 0;
  // Lets who is at the other end of the connection speak to the agent, until one of them has enough. Why it could not.
  virtual Status serve_agent(int connection, const sys::CancelToken& cancel) = 0;
};

}  // namespace ingot::solver
