#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "tests/support/temp.h"

namespace ingot::test {

// Serves the files of a directory by HTTP on loopback, to whoever has the name and the password.
class FileServer {
 public:
  FileServer(std::filesystem::path directory, const std::string& user, const std::string& password);
  ~FileServer();
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;
  int port() const { return port_; }

 private:
  void serve();
  void answer(int connection) const;

  const std::filesystem::path directory_;
  const std::string authorization_;
  sys::UniqueFd socket_;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

}  // namespace ingot::test
