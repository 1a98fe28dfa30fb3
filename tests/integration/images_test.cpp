#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "daemon/base/strings.h"
#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"

// SAVE IMAGE, from the Earthfile to other people's tools.
namespace ingot::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Images : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
  }
  static std::string recipe(const std::string& save) {
    return "VERSION 0.8\nt:\n    FROM tiny\n    RUN mkdir -p /a /d/old && echo one > /a/one && echo two > /a/two && ln "
           "/a/one "
           "/a/link\n"
           "    RUN rm /a/two && rm -r /d && mkdir /d && echo new > /d/only\n"
           "    ENV NAME=value\n    LABEL team=edge\n    EXPOSE 80\n    WORKDIR /a\n    ENTRYPOINT [\"/bin/sh\"]\n   "
           " " +
           save + "\n";
  }
  // What `skopeo inspect` says of it.
  static json inspect(const std::string& where, std::vector<std::string> more = {}) {
    std::vector<std::string> command{"skopeo", "--insecure-policy", "inspect"};
    command.insert(command.end(), more.begin(), more.end());
    command.push_back(where);
    auto result = run_program(command);
    EXPECT_EQ(result.code, 0) << result.err;
    return json::parse(result.out, nullptr, false);
  }
};

TEST_F(Images, an_archive_that_other_tools_take_and_that_is_a_base_again) {
  TestDaemon daemon;
  daemon.project_file("Earthfile", recipe("SAVE IMAGE edge:1"));
  auto built = daemon.ingot({"build", "+t"});
  ASSERT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("image edge:1 is sha256:"));
  EXPECT_THAT(daemon.ingot({"images"}).out, HasSubstr("edge:1"));
  const auto archive = daemon.project() / "edge.tar";
  auto saved = daemon.ingot({"image", "save", "edge:1", "-o", archive});
  ASSERT_EQ(saved.code, 0) << saved.err;

  const json config = inspect("oci-archive:" + archive.string(), {"--config"});
  EXPECT_EQ(config["config"]["Labels"]["team"], "edge");
  EXPECT_EQ(config["config"]["WorkingDir"], "/a");
  EXPECT_TRUE(config["config"]["ExposedPorts"].contains("80/tcp"));
  EXPECT_EQ(config["config"]["Entrypoint"][0], "/bin/sh");
  EXPECT_THAT(config["config"]["Env"].dump(), HasSubstr("NAME=value"));
  EXPECT_EQ(inspect("docker-archive:" + archive.string())["Labels"]["team"], "edge");
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");

  // Another daemon unpacks what this one packed: what was removed is gone, links are links.
  TestDaemon other({"--images", "[{match: \"*\", source: oci-archive, path: " + archive.string() + "}]"});
  other.project_file("Earthfile",
                     "VERSION 0.8\nt:\n    FROM edge:1\n    RUN echo $(ls /a) $(ls /d) $NAME $(stat -c %h one)\n");
  auto again = other.ingot({"build", "+t"});
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_THAT(again.out, HasSubstr("| link one only value 2\n"));
  other.stop();
}

TEST_F(Images, zstd_layers_are_taken_by_registries_and_unpacked_again) {
  Registry registry(false);
  const std::string rule = "[{match: \"" + registry.host() + "/*\", source: registry, insecure: true}]";
  const std::string name = registry.host() + "/team/edge:1";
  TestDaemon daemon({"--images", rule});
  daemon.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM " + registry.name() +
                                       "\n    RUN echo one > /one\n    SAVE IMAGE --push " + name + "\n");
  auto built = daemon.ingot({"build", "--push", "--compression", "zstd", "+t"});
  ASSERT_EQ(built.code, 0) << built.out;
  const json manifest = json::parse(registry.inspect("team/edge:1", {"--raw"}), nullptr, false);
  ASSERT_EQ(manifest["layers"].size(), 2U);
  EXPECT_EQ(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip") << "the base's own";
  EXPECT_EQ(manifest["layers"][1]["mediaType"], "application/vnd.oci.image.layer.v1.tar+zstd");
  EXPECT_EQ(daemon.ingot({"build", "--compression", "lz4", "+t"}).err,
            "ingot: --compression is gzip, zstd or none, not \"lz4\"\n");
  daemon.stop();

  TestDaemon other({"--images", rule});
  other.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM " + name + "\n    RUN echo read $(cat /one)\n");
  auto again = other.ingot({"build", "+t"});
  EXPECT_THAT(again.out, HasSubstr("| read one\n"));
  other.stop();
}

TEST_F(Images, equal_sources_give_equal_digests_in_two_stores) {
  std::string digests[2][2];
  for (auto& store : digests) {
    TestDaemon daemon;
    daemon.project_file("Earthfile", recipe("SAVE IMAGE edge:1"));
    for (const std::string compression : {"gzip", "zstd"}) {
      auto built =
          daemon.ingot({"build", "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "--compression", compression, "+t"});
      ASSERT_EQ(built.code, 0) << built.out;
      EXPECT_THAT(built.out, Not(HasSubstr("warning")));
      store[compression == "zstd" ? 1 : 0] = json::parse(daemon.ingot({"images", "--json"}).out)["images"][0]["digest"];
    }
    daemon.stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // so that the files' own times differ
  }
  EXPECT_EQ(digests[0][0], digests[1][0]);
  EXPECT_EQ(digests[0][1], digests[1][1]);
  EXPECT_NE(digests[0][0], digests[0][1]);
}

TEST_F(Images, push_sends_what_the_registry_lacks_and_only_when_asked) {
  Registry registry(false);
  TestDaemon daemon;
  const std::string name = registry.host() + "/team/edge";
  daemon.project_file("Earthfile", recipe("SAVE IMAGE --push --insecure " + name + ":1 " + name + ":2"));
  auto kept = daemon.ingot({"build", "+t"});
  ASSERT_EQ(kept.code, 0) << kept.out;
  EXPECT_THAT(kept.out, Not(HasSubstr("pushed")));
  EXPECT_NE(run_program({"skopeo", "inspect", "--tls-verify=false", "docker://" + name + ":1"}).code, 0);
  auto pushed = daemon.ingot({"build", "--push", "+t"});
  ASSERT_EQ(pushed.code, 0) << pushed.out;
  EXPECT_THAT(pushed.out, HasSubstr("pushed " + name + ":2@sha256:"));
  const std::string digest = json::parse(daemon.ingot({"images", "--json"}).out)["images"][0]["digest"];
  EXPECT_EQ(inspect("docker://" + name + ":1", {"--tls-verify=false"})["Digest"], digest)
      << "what arrived is what was built";
  const std::string log = registry.log();
  ASSERT_EQ(daemon.ingot({"build", "--push", "+t"}).code, 0);
  EXPECT_THAT(registry.log().substr(log.size()), Not(HasSubstr("http.request.method=PATCH"))) << "no layer twice";
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

TEST_F(Images, push_logs_in_with_the_rule_of_the_registry) {
  Registry registry(true);
  const std::string name = registry.host() + "/team/edge:1";
  TestDaemon stranger;
  stranger.project_file("Earthfile", recipe("SAVE IMAGE --push --insecure " + name));
  auto refused = stranger.ingot({"build", "--push", "+t"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.out, HasSubstr("cannot push " + name));
  EXPECT_THAT(refused.out, HasSubstr("Earthfile:"));
  stranger.stop();
  TestDaemon known({"--images", "[{match: \"" + registry.host() + "/*\", source: registry, insecure: true, authfile: " +
                                    registry.login().string() + "}]"});
  known.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM " + registry.name() + "\n    RUN echo x > /x\n" +
                                      "    SAVE IMAGE --push " + name + "\n");
  auto pushed = known.ingot({"build", "--push", "+t"});
  EXPECT_EQ(pushed.code, 0) << pushed.out;
  EXPECT_THAT(pushed.out, Not(HasSubstr("bWU6c2VjcmV0")));
  known.stop();
}

TEST_F(Images, what_cannot_be_saved_or_found_is_said) {
  TestDaemon daemon;
  daemon.project_file("Earthfile", recipe("SAVE IMAGE edge:1"));
  auto wrong = daemon.ingot({"build", "--build-arg", "SOURCE_DATE_EPOCH=yesterday", "+t"});
  EXPECT_THAT(wrong.out, HasSubstr("SOURCE_DATE_EPOCH is \"yesterday\", and no number of seconds"));
  auto missing = daemon.ingot({"image", "save", "edge:2", "-o", "x"});
  EXPECT_NE(missing.code, 0);
  EXPECT_THAT(missing.err, HasSubstr("there is no image \"edge:2\""));
  EXPECT_FALSE(std::filesystem::exists(daemon.project() / "x"));
  EXPECT_THAT(daemon.ingot({"image", "save", "edge:1"}).err, HasSubstr("image save needs a file"));
  EXPECT_THAT(daemon.ingot({"image", "sav", "edge:1"}).err, HasSubstr("did you mean \"save\"?"));
  daemon.stop();
}

}  // namespace
}  // namespace ingot::test
