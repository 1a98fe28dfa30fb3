#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "daemon/sys/files.h"
#include "tests/support/test_daemon.h"
#include "tests/support/tiny_image.h"

// Images from where users have them: a real registry, with and without credentials, an archive, a package mirror.
namespace ingot::test {
namespace {

using testing::HasSubstr;

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
class Registry {
 public:
  explicit Registry(bool with_password) : port_(free_port()) {
    std::string config = "version: 0.1\nstorage: {filesystem: {rootdirectory: " + (directory_ / "data").string() +
                         "}}\nhttp: {addr: \"127.0.0.1:" + std::to_string(port_) + "\"}\nlog: {level: error}\n";
    std::vector<std::string> login;
    if (with_password) {
      directory_.file("htpasswd", run_program({"htpasswd", "-Bbn", "me", "secret"}).out);
      config += "auth: {htpasswd: {realm: test, path: " + (directory_ / "htpasswd").string() + "}}\n";
      login = {"--dest-creds", "me:secret"};
    }
    const std::string file = directory_.file("config.yml", config);
    pid_ = fork();
    if (pid_ == 0) {
      const int null = open("/dev/null", O_RDWR);
      dup2(null, STDOUT_FILENO);
      dup2(null, STDERR_FILENO);
      execlp("docker-registry", "docker-registry", "serve", file.c_str(), nullptr);
      _exit(127);
    }
    write_tiny_image(directory_ / "layout");
    std::vector<std::string> push = {"skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false"};
    push.insert(push.end(), login.begin(), login.end());
    push.insert(push.end(), {"oci:" + (directory_ / "layout").string(), "docker://" + name()});
    for (int i = 0; i < 100 && run_program(push).code != 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ~Registry() {
    ::kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string name() const { return host() + "/team/tiny:1"; }
  std::filesystem::path layout() const { return directory_ / "layout"; }

 private:
  TempDirectory directory_;
  int port_;
  pid_t pid_ = 0;
};

class Sources : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
  }
  static RunResult build(const std::string& images, const std::string& from) {
    TestDaemon daemon({"--images", images});
    daemon.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM " + from + "\n    RUN echo \"tiny is $TINY\"\n");
    auto built = daemon.ingot({"build", "+t"});
    daemon.stop();
    EXPECT_EQ(daemon.leftovers(), "");
    return built;
  }
};

TEST_F(Sources, a_registry_without_credentials) {
  Registry registry(false);
  auto built = build("[{match: \"*\", source: registry, insecure: true}]", registry.name());
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("tiny is yes"));
  built = build("[{match: \"*\", source: registry, insecure: true, prefix: " + registry.host() + "}]", "team/tiny:1");
  EXPECT_EQ(built.code, 0) << built.out;
}

TEST_F(Sources, a_registry_with_credentials) {
  Registry registry(true);
  auto refused = build("[{match: \"*\", source: registry, insecure: true}]", registry.name());
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.out, HasSubstr("unauthorized"));
  TempDirectory directory;
  const auto file =
      directory.file("auth.json", R"({"auths": {")" + registry.host() + R"(": {"auth": "bWU6c2VjcmV0"}}})");
  auto built =
      build("[{match: \"*\", source: registry, insecure: true, authfile: " + file.string() + "}]", registry.name());
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, testing::Not(HasSubstr("bWU6c2VjcmV0")));
}

TEST_F(Sources, archives_on_disk) {
  TempDirectory directory;
  write_tiny_image(directory / "layout");
  for (const std::string kind : {"oci-archive", "docker-archive"}) {
    const std::string path = directory / (kind + ".tar");
    const std::string tag = kind == "docker-archive" ? ":tiny:latest" : "";
    ASSERT_EQ(run_program({"skopeo", "--insecure-policy", "copy", "oci:" + (directory / "layout").string(),
                           kind + ":" + path + tag})
                  .code,
              0);
    auto built = build("[{match: \"*\", source: " + kind + ", path: " + path + "}]", "anything");
    EXPECT_EQ(built.code, 0) << kind << built.out;
  }
}

TEST_F(Sources, a_debian_from_its_package_mirror) {
  auto built = build("[{match: \"debian:*\", source: bootstrap}]", "debian:bookworm");
  if (built.code != 0 && built.out.find("mmdebstrap of bookworm ended") != std::string::npos) {
    GTEST_SKIP() << "the package mirror does not answer";
  }
  EXPECT_EQ(built.code, 0) << built.out;
  auto unknown = build("[{match: \"debian:*\", source: bootstrap}]", "debian:bokworm");
  EXPECT_EQ(unknown.code, 3);
  EXPECT_THAT(unknown.out, HasSubstr("debian has no release \"bokworm\""));
}

}  // namespace
}  // namespace ingot::test
