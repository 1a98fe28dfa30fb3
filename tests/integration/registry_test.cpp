#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/support/oci_layout.h"
#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"

// Real registries: what a FROM means there, what is pushed to them, and what they do not like.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Registries : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
  }
  static std::vector<std::string> rule(const std::string& options) {
    return {"--images", "[{match: \"*\", source: registry" + (options.empty() ? "" : ", " + options) + "}]"};
  }
  static json manifest(TestDaemon& daemon, const std::string& digest) {
    return json::parse(daemon.curl({"http://ingot/v1/blobs/" + digest}).out, nullptr, false);
  }
  // Builds an image of a base and one file of its own; returns its manifest's digest.
  static std::string build(TestDaemon& daemon, const std::string& from, const std::string& save = "edge:1",
                           const std::vector<std::string>& flags = {}) {
    daemon.project_file("file", "content of " + save + "\n");
    daemon.project_file("Earthfile",
                        "VERSION 0.8\nt:\n    FROM " + from + "\n    COPY file /file\n    SAVE IMAGE " + save + "\n");
    std::vector<std::string> command{"build", "--json"};
    command.insert(command.end(), flags.begin(), flags.end());
    command.emplace_back("+t");
    auto built = daemon.ingot(command);
    EXPECT_EQ(built.code, 0) << built.out << built.err << daemon.ingot({"logs", "--from", "0", "x"}).err;
    const json job = json::parse(built.out, nullptr, false);
    return built.code == 0 ? job["artifacts"][0]["digest"].get<std::string>() : "";
  }
  // The uploads of layers and configurations, and where manifests were put, in their order.
  static std::vector<std::string> puts(const std::string& log) {
    std::vector<std::string> found;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      const std::string mark = "http.request.uri=";
      const std::size_t at = line.find(mark);
      if (at == std::string::npos || line.find("http.request.method=PUT") == std::string::npos) continue;
      // In quotes when there is more than letters in it.
      std::string path = line.substr(line[at + mark.size()] == '"' ? at + mark.size() + 1 : at + mark.size());
      path = path.substr(0, path.find_first_of("\" "));
      found.push_back(path.substr(0, path.find("/uploads/")));
    }
    return found;
  }
};

TEST_F(Registries, a_base_keeps_its_layers_and_only_what_is_new_travels) {
  Registry registry(false);
  const json base = json::parse(registry.inspect("team/tiny:1", {"--raw"}));
  TestDaemon daemon(rule("insecure: true"));
  const std::string digest = build(daemon, registry.name());
  const json built = manifest(daemon, digest);
  ASSERT_EQ(built["layers"].size(), 2U);
  EXPECT_EQ(built["layers"][0], base["layers"][0]) << "digest, size and media type";
  EXPECT_NE(built["layers"][1], base["layers"][0]);

  const std::string name = registry.host() + "/team/edge:1";
  const std::string before = registry.log();
  auto pushed = daemon.ingot({"push", "edge:1", name});
  ASSERT_EQ(pushed.code, 0) << pushed.err;
  EXPECT_THAT(pushed.out, HasSubstr("pushed " + name + "@" + digest));
  const std::string layer = built["layers"][1]["digest"].get<std::string>();
  EXPECT_THAT(pushed.out, HasSubstr("sending layer " + layer.substr(7, 12)));
  EXPECT_THAT(pushed.out, Not(HasSubstr(base["layers"][0]["digest"].get<std::string>().substr(7, 12))));
  EXPECT_EQ(json::parse(registry.inspect("team/edge:1"))["Digest"], digest) << "what arrived is what was built";
  const auto sent = puts(registry.log().substr(before.size()));
  ASSERT_EQ(sent.size(), 3U) << "one layer, the configuration, the manifest";
  EXPECT_EQ(sent[0], "/v2/team/edge/blobs");
  EXPECT_EQ(sent[1], "/v2/team/edge/blobs");
  EXPECT_EQ(sent[2], "/v2/team/edge/manifests/1") << "the tag at the very last";

  auto again = json::parse(daemon.ingot({"push", "--json", digest.substr(7, 12), name}).out);
  EXPECT_EQ(again["sent_bytes"], 0);
  EXPECT_GT(again["bytes"], 100'000);
  auto archive = daemon.ingot({"image", "save", "edge:1", "-o", "edge.tar"});
  EXPECT_EQ(archive.code, 0) << archive.err;
  EXPECT_EQ(run_program({"skopeo", "inspect", "oci-archive:" + (daemon.project() / "edge.tar").string()}).code, 0);
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

TEST_F(Registries, a_job_tells_what_its_tags_meant_and_is_pulled_by_policy) {
  Registry registry(false);
  auto write = [&](const std::string& version) {
    TempDirectory scratch;
    OciLayout layout(scratch / "l");
    // Two of them equal, as images have them whose recipe only sets variables.
    const std::vector<std::string> layers = {TarBytes().file("version", version).bytes(), TarBytes().bytes(),
                                             TarBytes().bytes()};
    layout.write_index({layout.add_image(layers, json::object())});
    ASSERT_TRUE(registry.put(scratch / "l", "team/base:1"));
  };
  auto digest_there = [&] { return json::parse(registry.inspect("team/base:1"))["Digest"].get<std::string>(); };
  const std::string name = registry.host() + "/team/base:1";
  TestDaemon daemon(rule("insecure: true"));
  auto version = [&](const std::string& from, const std::vector<std::string>& flags) {
    daemon.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM " + from + "\n    SAVE ARTIFACT /version AS LOCAL v\n");
    std::vector<std::string> command{"build"};
    command.insert(command.end(), flags.begin(), flags.end());
    command.emplace_back("+t");
    auto built = daemon.ingot(command);
    return built.code == 0 ? slurp(daemon.project() / "v") : built.out;
  };
  auto last_job = [&] { return json::parse(daemon.ingot({"ps", "--all", "-n", "1", "--json"}).out)["jobs"][0]; };

  EXPECT_THAT(version(name, {"--pull", "never"}), HasSubstr("is not kept here, and this job may fetch none"));
  write("one");
  const std::string one = digest_there();
  EXPECT_EQ(version(name, {}), "one");
  EXPECT_EQ(last_job()["from_images"], json({{{"name", name}, {"digest", one}, {"source", "docker://" + name}}}));
  EXPECT_THAT(daemon.ingot({"show", last_job()["id"]}).out, HasSubstr("from         " + one + "  " + name));

  write("two");
  const std::string two = digest_there();
  EXPECT_EQ(version(name, {}), "one") << "kept";
  EXPECT_EQ(version(name, {"--pull", "always"}), "two");
  EXPECT_EQ(last_job()["from_images"][0]["digest"], two);
  EXPECT_EQ(last_job()["pull"], "always");
  const std::string before = registry.log();
  EXPECT_EQ(version(name, {"--pull", "always"}), "two");
  EXPECT_THAT(registry.log().substr(before.size()), Not(HasSubstr("/blobs/"))) << "asked, and nothing fetched";
  EXPECT_EQ(version(name, {"--pull", "never"}), "two");
  daemon.stop();
  daemon.start();
  EXPECT_EQ(version(registry.host() + "/team/base@" + one, {}), "one") << "a digest stays what it is";
  EXPECT_EQ(last_job()["from_images"][0]["digest"], one);
  EXPECT_EQ(daemon.ingot({"build", "--pull", "sometimes", "+t"}).err,
            "ingot: --pull is missing, always or never, not \"sometimes\"\n");
  EXPECT_THAT(daemon.ingot({"plan", "--pull", "never", "+t"}).out, HasSubstr("FROM"));
  auto wrong = daemon.curl({"-d", R"({"context":"x","target":"+t","pull":"often"})", "http://ingot/v1/jobs"});
  EXPECT_THAT(wrong.out, HasSubstr("must be missing, always or never"));
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

TEST_F(Registries, one_with_a_password_takes_the_right_one) {
  Registry registry(RegistrySetup{.password = true});
  const std::string name = registry.host() + "/team/edge:1";
  const std::string options = "insecure: true, authfile: ";
  TestDaemon known(rule(options + registry.login().string()));
  const std::string digest = build(known, registry.name());
  auto pushed = known.ingot({"push", "-q", "edge:1", name});
  EXPECT_EQ(pushed.out, name + "@" + digest + "\n") << pushed.err;
  known.stop();

  TestDaemon mistaken({"--images", "[{match: \"" + registry.host() + "/*\", source: registry, " + options +
                                       registry.login("guess").string() +
                                       "}, {match: \"*\", source: oci-layout, path: " + registry.layout().string() +
                                       "}]"});
  build(mistaken, "tiny");
  auto refused = mistaken.ingot({"push", "edge:1", name});
  EXPECT_EQ(refused.code, 5) << refused.out << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("cannot push " + name));
  EXPECT_THAT(refused.err, HasSubstr("unauthorized"));
  EXPECT_THAT(refused.err, HasSubstr("check the login of this registry in "));
  EXPECT_THAT(refused.out, Not(HasSubstr("trying again"))) << "a wrong password stays wrong";
  EXPECT_THAT(refused.out + refused.err, Not(HasSubstr("guess\"")));
  mistaken.stop();
}

TEST_F(Registries, one_with_a_private_ca_is_trusted_by_its_rule) {
  Registry registry(RegistrySetup{.tls = true});
  const std::string name = registry.host() + "/team/edge:1";
  TestDaemon daemon(rule("cert_dir: " + registry.certificates().string()));
  const std::string digest = build(daemon, registry.name());
  auto pushed = daemon.ingot({"push", "edge:1", name});
  EXPECT_EQ(pushed.code, 0) << pushed.err;
  EXPECT_EQ(json::parse(registry.inspect("team/edge:1"))["Digest"], digest);
  daemon.stop();

  TestDaemon stranger({"--images", "[{match: \"" + registry.host() +
                                       "/*\", source: registry}, {match: \"*\", source: "
                                       "oci-layout, path: " +
                                       registry.layout().string() + "}]"});
  build(stranger, "tiny");
  auto refused = stranger.ingot({"push", "edge:1", name});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("certificate signed by unknown authority"));
  EXPECT_THAT(refused.err, HasSubstr("an option cert_dir"));
  EXPECT_THAT(refused.out, Not(HasSubstr("trying again")));
  EXPECT_EQ(stranger.ingot({"push", "--insecure", "edge:1", name}).code, 0);
  stranger.stop();
}

TEST_F(Registries, one_that_comes_up_late_is_waited_for_and_one_that_does_not_is_named) {
  Registry registry(RegistrySetup{.started = false});
  TestDaemon daemon({"--images", "[{match: \"" + registry.host() +
                                     "/*\", source: registry, insecure: true}, {match: "
                                     "\"*\", source: oci-layout, path: " +
                                     registry.layout().string() + "}]"});
  const std::string name = registry.host() + "/team/edge:1";
  const std::string digest = build(daemon, "tiny", name);
  auto down = daemon.ingot({"push", name});
  EXPECT_EQ(down.code, 69) << down.err;
  EXPECT_THAT(down.out, HasSubstr("trying again in 4"));
  EXPECT_THAT(down.err, HasSubstr("cannot push " + name));
  EXPECT_THAT(down.err, HasSubstr("connection refused"));
  EXPECT_THAT(down.err, HasSubstr("check that the registry runs"));

  RunResult late;
  std::thread pushing([&] { late = daemon.ingot({"push", name}); });
  std::this_thread::sleep_for(std::chrono::seconds(2));
  registry.start();
  pushing.join();
  EXPECT_EQ(late.code, 0) << late.err;
  EXPECT_THAT(late.out, HasSubstr("trying again in"));
  EXPECT_EQ(json::parse(registry.inspect("team/edge:1"))["Digest"], digest);
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

TEST_F(Registries, one_that_refuses_a_build_takes_nothing_of_it_away) {
  Registry registry(RegistrySetup{.started = false});
  TestDaemon daemon({"--images", "[{match: \"" + registry.host() +
                                     "/*\", source: registry, insecure: true}, {match: "
                                     "\"*\", source: oci-layout, path: " +
                                     registry.layout().string() + "}]"});
  const std::string name = registry.host() + "/team/edge:1";
  daemon.project_file("Earthfile",
                      "VERSION 0.8\nt:\n    FROM tiny\n    RUN echo x >/x\n    SAVE ARTIFACT /x AS LOCAL out/x\n"
                      "    SAVE IMAGE --push " +
                          name + "\n");
  const auto refused = daemon.ingot({"build", "--push", "+t"});
  EXPECT_EQ(refused.code, 69) << refused.out;
  auto job = daemon.ingot({"ps", "--all", "-q"}).out;
  job.pop_back();
  EXPECT_THAT(refused.out, HasSubstr("what was built is kept: `ingot push " + job + "` pushes it later"));
  EXPECT_EQ(slurp(daemon.project() / "out/x"), "x\n") << "what it made besides is delivered";
  registry.start();
  const auto later = daemon.ingot({"push", job});
  EXPECT_EQ(later.code, 0) << later.err;
  EXPECT_THAT(registry.inspect("team/edge:1"), HasSubstr("sha256:"));
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

TEST_F(Registries, an_image_of_one_that_comes_up_late_is_waited_for_too) {
  Registry registry(RegistrySetup{});
  registry.stop();  // it has the image from the moment when it is back
  TestDaemon daemon(rule("insecure: true"));
  daemon.project_file("Earthfile", "VERSION 0.8\nt:\n    FROM " + registry.name() + "\n    RUN echo tiny is $TINY\n");
  RunResult late;
  std::thread building([&] { late = daemon.ingot({"build", "+t"}); });
  std::this_thread::sleep_for(std::chrono::seconds(1));
  registry.start();
  building.join();
  EXPECT_EQ(late.code, 0) << late.out;
  EXPECT_THAT(late.out, HasSubstr("trying again in"));
  EXPECT_THAT(late.out, HasSubstr("tiny is yes"));
  daemon.stop();
}

TEST_F(Registries, what_cannot_be_pushed_is_said_before_anything_is_sent) {
  TestDaemon daemon;
  const std::string digest = build(daemon, "tiny");
  EXPECT_THAT(daemon.ingot({"push", "edge:2"}).err, HasSubstr("did you mean \"edge:1\"?"));
  EXPECT_THAT(daemon.ingot({"push", "edge:1", "UPPER"}).err, HasSubstr("\"UPPER\" is no image name"));
  EXPECT_THAT(daemon.ingot({"push", "edge:1", "a@" + digest}).err, HasSubstr("an image is pushed under a tag"));
  EXPECT_EQ(daemon.ingot({"push"}).code, 2);
  auto unknown =
      daemon.curl({"-w", "%{http_code}", "-d", R"({"name":"a:1","digest":"sha256:)" + std::string(64, '0') + "\"}",
                   "http://ingot/v1/images/push"});
  EXPECT_THAT(unknown.out, HasSubstr("there is no image sha256:000"));
  EXPECT_THAT(unknown.out, testing::EndsWith("404"));
  daemon.stop();
}

}  // namespace
}  // namespace ingot::test
