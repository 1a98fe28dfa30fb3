#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temp.h"

namespace ingot::test {

// What a registry of a test is to be like.
struct RegistrySetup {
  bool password = false;  // its one user is "me", the password "secret"
  bool tls = false;       // with a certificate of a CA of its own
  bool started = true;    // else by start()
};

// Of loopback, that nobody listens on.
int free_port();

// A real docker-registry on loopback, with the tiny image in it as team/tiny:1.
class Registry {
 public:
  explicit Registry(RegistrySetup setup);
  explicit Registry(bool with_password) : Registry(RegistrySetup{with_password}) {}
  ~Registry() { stop(); }
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  void start();
  void stop();  // what it has stays for the next start
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string name() const { return host() + "/team/tiny:1"; }
  std::filesystem::path layout() const { return directory_ / "layout"; }
  // Puts a layout's image into it as `name`, such as team/x:1; false when that fails.
  bool put(const std::filesystem::path& layout, const std::string& name) const;
  // What `skopeo inspect` of one of its names prints, with more options.
  std::string inspect(const std::string& name, std::vector<std::string> more = {}) const;
  // A file of logins, as `skopeo login --authfile` writes it.
  std::filesystem::path login(const std::string& password = "secret") const;
  // A directory with the CA's certificate.
  std::filesystem::path certificates() const { return directory_ / "certificates"; }
  // Every path that was asked for, with its method: "PUT /v2/...".
  std::string log() const { return slurp(directory_ / "log"); }

 private:
  void make_certificates() const;
  std::vector<std::string> access(const std::string& side) const;

  TempDirectory directory_;
  RegistrySetup setup_;
  int port_;
  pid_t pid_ = 0;
};

}  // namespace ingot::test
