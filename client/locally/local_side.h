#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "proto/types.h"

namespace ingot::client {

// While it lives, this client does what the job's recipes say under LOCALLY: runs commands as its user, in the project
// and with its own environment, and hands files over; and it passes on what is said to the user's SSH agent. When the
// connection to the daemon ends, what runs is ended; the connection is made again until this goes. Nothing for a job
// that does nothing here.
class LocalSide {
 public:
  LocalSide(const std::string& socket_path, const proto::Job& job, const std::filesystem::path& project);
  ~LocalSide();  // ends what runs
  LocalSide(const LocalSide&) = delete;
  LocalSide& operator=(const LocalSide&) = delete;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace ingot::client
