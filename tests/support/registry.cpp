#include "tests/support/registry.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "daemon/sys/files.h"
#include "tests/support/test_daemon.h"
#include "tests/support/tiny_image.h"

namespace ingot::test {

namespace {

int free_port() {
  sys::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A docker-registry on loopback, with the tiny image in it as team/tiny:1.
}  // namespace

Registry::Registry(bool with_password) : port_(free_port()) {
  std::string config = "version: 0.1\nstorage: {filesystem: {rootdirectory: " + (directory_ / "data").string() +
                       "}}\nhttp: {addr: \"127.0.0.1:" + std::to_string(port_) + "\"}\nlog: {level: info}\n";
  std::vector<std::string> login;
  if (with_password) {
    directory_.file("htpasswd", run_program({"htpasswd", "-Bbn", "me", "secret"}).out);
    config += "auth: {htpasswd: {realm: test, path: " + (directory_ / "htpasswd").string() + "}}\n";
    login = {"--dest-creds", "me:secret"};
  }
  const std::string file = directory_.file("config.yml", config);
  const std::string log = directory_ / "log";
  pid_ = fork();
  if (pid_ == 0) {
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execlp("docker-registry", "docker-registry", "serve", file.c_str(), nullptr);
    _exit(127);
  }
  write_tiny_image(directory_ / "layout");
  std::vector<std::string> push = {"skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false"};
  push.insert(push.end(), login.begin(), login.end());
  push.insert(push.end(), {"oci:" + (directory_ / "layout").string(), "docker://" + name()});
  for (int i = 0; i < 100 && run_program(push).code != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Registry::~Registry() {
  ::kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

std::filesystem::path Registry::login() const {
  return directory_.file("auth.json", R"({"auths": {")" + host() + R"(": {"auth": "bWU6c2VjcmV0"}}})");
}

}  // namespace ingot::test
