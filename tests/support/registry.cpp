#include "tests/support/registry.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "daemon/sys/files.h"
#include "proto/base64.h"
#include "tests/support/test_daemon.h"
#include "tests/support/tiny_image.h"

namespace ingot::test {

namespace {

void must_run(const std::vector<std::string>& command) {
  auto done = run_program(command);
  if (done.code != 0) throw std::runtime_error(command.front() + " failed: " + done.err);
}

}  // namespace

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

Registry::Registry(RegistrySetup setup) : setup_(setup), port_(free_port()) {
  write_tiny_image(layout());
  if (setup_.tls) make_certificates();
  if (setup_.started) start();
}

void Registry::make_certificates() const {
  std::filesystem::create_directories(certificates());
  const std::string ca = certificates() / "ca.crt";
  const std::string ca_key = directory_ / "ca.key";
  const std::vector<std::string> request = {"openssl", "req",     "-x509", "-nodes",   "-days",
                                            "2",       "-newkey", "ec",    "-pkeyopt", "ec_paramgen_curve:prime256v1"};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), request.begin(), request.end());
    return more;
  };
  must_run(with({"-subj", "/CN=a CA of this test", "-keyout", ca_key, "-out", ca}));
  must_run(with({"-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-CA", ca, "-CAkey", ca_key,
                 "-keyout", directory_ / "registry.key", "-out", directory_ / "registry.crt"}));
}

void Registry::start() {
  std::string config = "version: 0.1\nstorage: {filesystem: {rootdirectory: " + (directory_ / "data").string() +
                       "}}\nlog: {level: info}\nhttp:\n  addr: \"" + host() + "\"\n";
  if (setup_.tls) {
    config += "  tls: {certificate: " + (directory_ / "registry.crt").string() +
              ", key: " + (directory_ / "registry.key").string() + "}\n";
  }
  if (setup_.password) {
    directory_.file("htpasswd", run_program({"htpasswd", "-Bbn", "me", "secret"}).out);
    config += "auth: {htpasswd: {realm: test, path: " + (directory_ / "htpasswd").string() + "}}\n";
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
  for (int i = 0; i < 100 && !put(layout(), "team/tiny:1"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::vector<std::string> Registry::access(const std::string& side) const {
  std::vector<std::string> options;
  options.push_back(setup_.tls ? side + "cert-dir=" + certificates().string() : side + "tls-verify=false");
  if (setup_.password) options.push_back(side + "creds=me:secret");
  return options;
}

bool Registry::put(const std::filesystem::path& layout, const std::string& name) const {
  std::vector<std::string> push = {"skopeo", "--insecure-policy", "copy"};
  for (auto& option : access("--dest-")) push.push_back(std::move(option));
  push.insert(push.end(), {"oci:" + layout.string(), "docker://" + host() + "/" + name});
  return run_program(push).code == 0;
}

std::string Registry::inspect(const std::string& name, std::vector<std::string> more) const {
  std::vector<std::string> look = {"skopeo", "--insecure-policy", "inspect"};
  for (auto& option : access("--")) look.push_back(std::move(option));
  look.insert(look.end(), more.begin(), more.end());
  look.push_back("docker://" + host() + "/" + name);
  return run_program(look).out;
}

void Registry::stop() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::filesystem::path Registry::login(const std::string& password) const {
  const std::string pair = proto::base64_encode("me:" + password);
  return directory_.file("auth-" + password + ".json",
                         R"({"auths": {")" + host() + R"(": {"auth": ")" + pair + "\"}}}");
}

}  // namespace ingot::test
