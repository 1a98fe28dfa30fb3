#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "tests/support/temp.h"

namespace ingot::test {

// A real docker-registry on loopback, with the tiny image in it as team/tiny:1. Its one user is "me", the password
// "secret".
class Registry {
 public:
  explicit Registry(bool with_password);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string name() const { return host() + "/team/tiny:1"; }
  std::filesystem::path layout() const { return directory_ / "layout"; }
  // A file of logins, as `skopeo login --authfile` writes it.
  std::filesystem::path login() const;
  // Every path that was asked for, with its method: "PUT /v2/...".
  std::string log() const { return slurp(directory_ / "log"); }

 private:
  TempDirectory directory_;
  int port_;
  pid_t pid_ = 0;
};

}  // namespace ingot::test
