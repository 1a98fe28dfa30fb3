#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/test_daemon.h"

namespace ingot::test {

// Whether it comes to hold within half a minute.
bool holds_soon(const std::function<bool()>& condition);

// `ingot ARGUMENTS` in the project directory that goes on beside the test, and is killed when this ends.
class RunningClient {
 public:
  RunningClient(const TestDaemon& daemon, std::vector<std::string> arguments,
                const std::map<std::string, std::string>& environment = {});
  ~RunningClient();
  RunningClient(const RunningClient&) = delete;
  RunningClient& operator=(const RunningClient&) = delete;

  void send(int number) const;
  int wait();  // its exit code, or 128 and its signal
  std::string log() const { return slurp(log_); }

 private:
  TempDirectory directory_;
  std::filesystem::path log_;
  pid_t pid_ = 0;
};

}  // namespace ingot::test
