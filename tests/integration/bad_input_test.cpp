#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/sys/files.h"
#include "tests/support/test_daemon.h"

namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace();
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->curl({"http://ingot/v1/version"}).code, 0) << "the daemon must survive whatever it was sent";
    EXPECT_EQ(daemon->leftovers(), "");
  }
  std::optional<TestDaemon> daemon;
};

TEST_F(BadInput, no_earthfile) {
  auto built = daemon->ingot({"build", "+a"});
  EXPECT_EQ(built.code, 3);
  EXPECT_EQ(built.err, "ingot: there is no Earthfile in " + daemon->project().string() +
                           "\nhint: run ingot in the directory of your Earthfile, or name it with -C\n");
}

TEST_F(BadInput, a_target_that_is_not_there) {
  daemon->project_file("Earthfile", "VERSION 0.8\nbuild:\n    FROM tiny\ntest:\n    FROM tiny\n");
  auto built = daemon->ingot({"build", "+biuld"});
  EXPECT_EQ(built.code, 3);
  EXPECT_THAT(built.out, HasSubstr("ERROR Earthfile has no target \"+biuld\"\nhint: did you mean \"build\"?"));
}

TEST_F(BadInput, a_syntax_error_has_line_column_and_caret) {
  daemon->project_file("Earthfile", "VERSION 0.8\nbuild:\n    FROM tiny\n    RNU echo\n");
  auto built = daemon->ingot({"build", "+build"});
  EXPECT_EQ(built.code, 2);
  EXPECT_THAT(
      built.out,
      HasSubstr(
          "ERROR Earthfile:4:5: there is no command \"RNU\"\n      RNU echo\n      ^\nhint: did you mean \"RUN\"?"));
}

TEST_F(BadInput, a_step_that_fails_tells_its_output_again_its_code_and_its_line) {
  daemon->project_file("Earthfile", "VERSION 0.8\nt:\n    FROM tiny\n    RUN echo why; exit 42\n");
  auto built = daemon->ingot({"build", "+t"});
  EXPECT_EQ(built.code, 1);
  EXPECT_THAT(built.out, HasSubstr("The output of the step that failed, once more:\n                  +t | why\n"
                                   "ERROR Earthfile:4:5: the command ended with exit code 42\n"));
}

TEST_F(BadInput, an_image_that_cannot_be_had_names_every_source) {
  TestDaemon other(
      {"--images", "[{match: \"*\", source: oci-layout, path: /nowhere}, {match: \"x:*\", source: bootstrap}]"});
  other.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM x:1\n");
  auto built = other.ingot({"build", "+t"});
  EXPECT_EQ(built.code, 3);
  EXPECT_THAT(built.out, HasSubstr("cannot get image \"x:1\""));
  EXPECT_THAT(built.out, HasSubstr("oci-layout (rule \"*\"): there is no OCI image layout in /nowhere"));
  EXPECT_THAT(built.out, HasSubstr("bootstrap (rule \"x:*\"): bootstrap knows debian and ubuntu names, not \"x\""));
}

TEST_F(BadInput, a_configuration_with_a_wrong_type) {
  TempDirectory directory;
  const auto file = directory.file("ingotd.yaml", "jobs:\n  parallel: many\n  paralel: 3\nlimits:\n  memory: [1]\n");
  auto checked = run_program({binary("ingotd"), "--config", file, "--check-config"});
  EXPECT_EQ(checked.code, 2);
  EXPECT_THAT(checked.err,
              HasSubstr(file.string() + ":2:13: jobs.parallel: \"many\" is not a whole number from 1 to 1024\n"));
  EXPECT_THAT(
      checked.err,
      HasSubstr(
          file.string() +
          ":3:3: there is no key \"jobs.paralel\"\n    paralel: 3\n    ^\nhint: did you mean \"jobs.parallel\"?"));
  EXPECT_THAT(checked.err, HasSubstr(":5:11: \"limits.memory\" must be one value, not a list"));
}

TEST_F(BadInput, a_daemon_that_is_not_running) {
  auto asked = daemon->ingot({"ps"}, {{"INGOT_SOCKET", "/nowhere/ingotd.sock"}});
  EXPECT_EQ(asked.code, 69);
  EXPECT_THAT(asked.err, HasSubstr("no daemon answers at /nowhere/ingotd.sock"));
  EXPECT_THAT(asked.err, HasSubstr("systemctl start ingotd"));
}

TEST_F(BadInput, no_permission_on_the_socket) {
  fs::permissions(daemon->socket().parent_path(), static_cast<fs::perms>(0755));
  auto asked = run_program({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env",
                            "INGOT_SOCKET=" + daemon->socket().string(), binary("ingot"), "ps"});
  EXPECT_EQ(asked.code, 5) << asked.err;
  EXPECT_THAT(asked.err, HasSubstr("it is for members of group \"root\""));
  EXPECT_THAT(asked.err, HasSubstr("usermod -aG root"));
}

TEST_F(BadInput, bodies_that_are_no_json_or_too_large) {
  auto answer = daemon->curl({"-d", "{no", "http://ingot/v1/jobs"});
  EXPECT_THAT(answer.out, HasSubstr("\"kind\":\"invalid\""));
  EXPECT_THAT(answer.out, HasSubstr("stops making sense at byte 3"));
  daemon->project_file("deep", std::string(200'000, '['));
  answer = daemon->curl({"--data-binary", "@" + (daemon->project() / "deep").string(), "http://ingot/v1/contexts"});
  EXPECT_THAT(answer.out, HasSubstr("\"kind\":\"invalid\""));
  answer = daemon->curl(
      {"-X", "POST", "-H", "Content-Length: 1073741824", "-H", "Expect:", "-d", "x", "http://ingot/v1/jobs"});
  EXPECT_THAT(answer.out, HasSubstr("\"kind\":\"too_large\""));
  const std::string job = R"({"context":"sha256:)" + std::string(64, 'a') + R"(","target":"+t","no_cache_targets":)";
  answer = daemon->curl({"-d", job + "[\"t\"]}", "http://ingot/v1/jobs"});
  EXPECT_THAT(answer.out, HasSubstr("\\\"t\\\" is no target"));
  std::string many = "\"+t\"";
  for (int i = 0; i < 100; ++i) many += ",\"+t\"";
  answer = daemon->curl({"-d", job + "[" + many + "]}", "http://ingot/v1/jobs"});
  EXPECT_THAT(answer.out, HasSubstr("a job has at most 100 no_cache_targets"));
  answer = daemon->curl({"http://ingot/v1/jbos"});
  EXPECT_THAT(answer.out, HasSubstr("did you mean \\\"/v1/jobs\\\"?"));
  answer = daemon->curl({"-i", "-X", "DELETE", "http://ingot/v1/jobs"});
  EXPECT_THAT(answer.out, HasSubstr("405 Method Not Allowed"));
  EXPECT_THAT(answer.out, HasSubstr("Allow: POST, GET"));
  answer = daemon->curl({"-H", "Ingot-Api: 99", "http://ingot/v1/jobs"});
  EXPECT_THAT(answer.out, HasSubstr("this client speaks API 99, ingotd 0.1.0 serves API 1 to 1"));
}

TEST_F(BadInput, paths_of_a_manifest_that_lead_out) {
  auto offer = [&](const std::string& entry) {
    return daemon->curl({"-d", "{\"entries\":[" + entry + "]}", "http://ingot/v1/contexts"}).out;
  };
  EXPECT_THAT(offer(R"({"path":"/etc/passwd","type":"directory"})"),
              HasSubstr("context path \\\"/etc/passwd\\\" is absolute"));
  EXPECT_THAT(offer(R"({"path":"a/../../x","type":"directory"})"), HasSubstr("has a \\\"..\\\""));
  EXPECT_THAT(offer(R"({"path":"l","type":"symlink","link_target":"../x"})"),
              HasSubstr("leads out of the project: ../x"));
  EXPECT_THAT(offer(R"({"path":"d","type":"device"})"), HasSubstr("\\\"device\\\" is no type"));
}

TEST_F(BadInput, a_client_that_dies_half_way_through_an_upload) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, daemon->socket().c_str());
  {
    sys::UniqueFd client(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string request = "PUT /v1/blobs/sha256:" + std::string(64, 'a') +
                                " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + std::string(500'000, 'x');
    ASSERT_TRUE(sys::write_all(client.get(), request));
  }
  for (int i = 0; i < 100 && !fs::is_empty(daemon->state() / "blobs/tmp"); ++i) usleep(20'000);
  EXPECT_TRUE(fs::is_empty(daemon->state() / "blobs/tmp"));
}

TEST_F(BadInput, ten_thousand_connections) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, daemon->socket().c_str());
  std::vector<sys::UniqueFd> open;
  for (int i = 0; i < 10'000; ++i) {
    sys::UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!client) break;
    if (connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
      open.push_back(std::move(client));
  }
  EXPECT_GT(open.size(), 4'000U);
  // Those over the limit were told to come back.
  char text[4096] = {};
  EXPECT_GT(recv(open.back().get(), text, sizeof text - 1, 0), 0);
  EXPECT_THAT(text, HasSubstr("503 Service Unavailable"));
  open.clear();
}

}  // namespace
}  // namespace ingot::test
