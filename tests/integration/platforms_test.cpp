#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/sys/binfmt.h"
#include "tests/support/registry.h"
#include "tests/support/test_daemon.h"

// Other platforms: what the kernel hands to an emulator, and images of several.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

// The beginning of a program for a machine that nobody emulates here: loong64, as static programs of it begin.
std::string program_of_loong64() {
  std::string header(
      "\x7f"
      "ELF\2\1\1",
      7);
  header.resize(16, '\0');
  header += std::string({2, 0, 2, 1, 1, 0, 0, 0});
  header.resize(200, '\0');
  return header;
}

// The kernel's handlers, seen at a place that goes with this. They are the whole host's: one test has them at a time.
class Handlers {
 public:
  Handlers() {
    fs::create_directories(directory());
    mounted_ = mount("binfmt_misc", directory().c_str(), "binfmt_misc", 0, nullptr) == 0;
    if (!mounted_) return;
    turn_ = sys::UniqueFd(open(directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    flock(turn_.get(), LOCK_EX);
  }
  ~Handlers() {
    turn_ = {};
    if (mounted_) umount2(directory().c_str(), MNT_DETACH);
  }
  Handlers(const Handlers&) = delete;
  Handlers& operator=(const Handlers&) = delete;
  bool are_there() const { return mounted_; }
  fs::path directory() const { return scratch_ / "handlers"; }

 private:
  TempDirectory scratch_;
  bool mounted_ = false;
  sys::UniqueFd turn_;
};

// One more for as long as this lives, under a name of its own. Its "emulator" prints how it is called.
class Handler {
 public:
  explicit Handler(const std::string& flags) : name_("ingot-test-" + std::to_string(getpid()) + flags) {
    if (!all_.are_there()) return;
    fs::copy_file("/bin/busybox", emulator());
    std::ofstream entry(all_.directory() / "register");
    entry << ":" << name_ << R"(:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x02\x01:)"
          << R"(\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:)"
          << emulator().string() << ":" << flags;
    entry.close();
    registered_ = fs::exists(all_.directory() / name_);
  }
  ~Handler() {
    if (registered_) std::ofstream(all_.directory() / name_) << "-1";
  }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  bool works() const { return registered_; }
  void turn(bool on) const { std::ofstream(all_.directory() / name_) << (on ? "1" : "0"); }
  const std::string& name() const { return name_; }
  fs::path emulator() const { return scratch_ / "echo"; }  // which of its commands busybox is called by

 private:
  const Handlers all_;
  TempDirectory scratch_;
  std::string name_;
  bool registered_ = false;
};

class Platforms : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    daemon.emplace();
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->leftovers(), "");
  }
  RunResult build(const std::string& earthfile, std::vector<std::string> words) {
    daemon->project_file("Earthfile", earthfile);
    words.insert(words.begin(), {"build", "--progress=plain"});
    auto done = daemon->ingot(words);
    done.out += done.err;
    return done;
  }
  std::optional<TestDaemon> daemon;
};

constexpr const char* kForLoong64 =
    "VERSION 0.8\nt:\n    FROM --platform=linux/loong64 scratch\n    COPY sh /bin/sh\n    RUN how are you called\n";

TEST_F(Platforms, a_step_runs_by_the_handler_of_its_architecture) {
  const Handler handler("F");
  if (!handler.works()) GTEST_SKIP() << "binfmt_misc cannot be used here";
  daemon->project_file("sh", program_of_loong64());
  fs::permissions(daemon->project() / "sh", static_cast<fs::perms>(0755));
  const auto built = build(kForLoong64, {"+t"});
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("+t (linux/loong64) | /bin/sh -c how are you called"));
  EXPECT_THAT(daemon->ingot({"doctor"}).out, HasSubstr("linux/loong64"));

  handler.turn(false);
  EXPECT_EQ(build(kForLoong64, {"+t"}).code, 0) << "it need not run again";
  const auto refused = build(kForLoong64, {"--no-cache", "+t"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.out, HasSubstr("Earthfile:5:5: this host cannot run programs for linux/loong64"));
  const auto planned = daemon->ingot({"plan", "--no-cache", "+t"});
  EXPECT_THAT(planned.out, HasSubstr("warning: this would fail"));
  EXPECT_THAT(planned.out, HasSubstr("its handler " + handler.name() + " is turned off"));
}

TEST_F(Platforms, a_handler_without_its_interpreter_needs_it_in_the_image) {
  const Handler handler("P");
  if (!handler.works()) GTEST_SKIP() << "binfmt_misc cannot be used here";
  daemon->project_file("sh", program_of_loong64());
  fs::permissions(daemon->project() / "sh", static_cast<fs::perms>(0755));
  const auto refused = build(kForLoong64, {"+t"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.out, HasSubstr("this host runs programs for linux/loong64 by " + handler.emulator().string() +
                                     ", which this step's file system does not have"));
  fs::copy_file("/bin/busybox", daemon->project() / "busybox");
  const auto built =
      build("VERSION 0.8\nt:\n    FROM --platform=linux/loong64 scratch\n    COPY sh /bin/sh\n    COPY busybox " +
                handler.emulator().string() + "\n    RUN how are you called\n",
            {"+t"});
  EXPECT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("-c how are you called"));
}

TEST_F(Platforms, what_the_host_cannot_run_is_an_error_that_says_how_to_get_it) {
  const Handlers handlers;
  std::string foreign;
  for (const char* architecture : {"s390x", "mips64", "ppc64", "riscv64"}) {
    if (!sys::Binfmt(handlers.directory()).interpreter_for({"linux", architecture})) foreign = architecture;
  }
  if (foreign.empty()) GTEST_SKIP() << "this host runs everything";
  const auto refused = build(
      "VERSION 0.8\nt:\n    FROM tiny\n    BUILD +other\nother:\n    FROM "
      "--platform=linux/" +
          foreign + " scratch\n    COPY Earthfile /bin/sh\n    RUN x\n",
      {"+t"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.out, HasSubstr("Earthfile:8:5: this host cannot run programs for linux/" + foreign));
  EXPECT_THAT(refused.out, HasSubstr("in +other (linux/" + foreign + ")"));
  EXPECT_THAT(refused.out, HasSubstr("hint: "));
  const auto copied = build("VERSION 0.8\nt:\n    FROM --platform=linux/" + foreign +
                                " scratch\n    COPY Earthfile /\n" + "    SAVE IMAGE edge:1\n",
                            {"+t"});
  EXPECT_EQ(copied.code, 0) << copied.out << "nothing runs in it";
}

constexpr const char* kTwo =
    "VERSION 0.8\nt:\n    BUILD --platform=linux/386 --platform=linux/s390x +image\n"
    "image:\n    FROM tiny\n    COPY Earthfile /\n    SAVE IMAGE --push edge:1\n";

class ImageOfPlatforms : public Platforms {
 protected:
  static json parsed(const fs::path& file) { return json::parse(slurp(file), nullptr, false); }
  json images() { return json::parse(daemon->ingot({"images", "--json"}).out)["images"]; }
};

TEST_F(ImageOfPlatforms, is_an_index_and_the_same_to_the_bit) {
  ASSERT_EQ(build(kTwo, {"+t", "--SOURCE_DATE_EPOCH=1700000000"}).code, 0);
  const auto first = images()[0];
  EXPECT_EQ(first["platforms"], json({"linux/386", "linux/s390x"}));
  EXPECT_EQ(first["layers"], 4);
  EXPECT_THAT(daemon->ingot({"show", first["job"]}).out, HasSubstr("edge:1 (linux/386, linux/s390x)"));
  EXPECT_THAT(daemon->ingot({"show", first["job"]}).out, HasSubstr("tiny:latest (linux/s390x)"));
  // In the other order, and with nothing kept.
  const std::string other =
      "VERSION 0.8\nt:\n    BUILD --platform=linux/s390x --platform=linux/386 +image\n"
      "image:\n    FROM tiny\n    COPY file /Earthfile\n    SAVE IMAGE --push edge:1\n";
  TestDaemon second;
  second.project_file("file", kTwo);
  second.project_file("Earthfile", other);
  ASSERT_EQ(second.ingot({"build", "+t", "--SOURCE_DATE_EPOCH=1700000000"}).code, 0);
  const auto again = json::parse(second.ingot({"images", "--json"}).out)["images"][0];
  EXPECT_NE(again["digest"], first["digest"]) << "the project is another one, which the manifests say";
  second.project_file("Earthfile", kTwo);
  fs::remove(second.project() / "file");
  ASSERT_EQ(second.ingot({"build", "+t", "--SOURCE_DATE_EPOCH=1700000000"}).code, 0);
  EXPECT_EQ(json::parse(second.ingot({"images", "--json"}).out)["images"][0]["digest"], first["digest"]);
}

TEST_F(ImageOfPlatforms, is_saved_whole_and_outlives_the_sweeper) {
  ASSERT_EQ(build(kTwo, {"+t"}).code, 0);
  daemon->stop();
  const auto fsck = run_program({binary("ingotd"), "--state-dir", daemon->state(), "--fsck"});
  EXPECT_EQ(fsck.code, 0) << fsck.out << fsck.err;
  daemon->start();
  const fs::path archive = daemon->project() / "edge.tar";
  const auto saved = daemon->ingot({"image", "save", "edge:1", "-o", archive});
  ASSERT_EQ(saved.code, 0) << saved.err;
  for (const char* architecture : {"386", "s390x"}) {
    const auto config = run_program({"skopeo", std::string("--override-arch=") + architecture, "inspect", "--config",
                                     "oci-archive:" + archive.string()});
    EXPECT_EQ(json::parse(config.out, nullptr, false).value("architecture", ""), architecture) << config.err;
  }
}

TEST_F(ImageOfPlatforms, goes_to_a_registry_with_all_its_manifests_and_comes_back_one_by_one) {
  Registry registry(false);
  const std::string name = registry.host() + "/team/edge:1";
  std::string recipe = kTwo;
  recipe.replace(recipe.find("--push edge:1"), std::string("--push edge:1").size(), "--push --insecure " + name);
  const std::string before = registry.log();
  const auto built = build(recipe, {"--push", "+t"});
  ASSERT_EQ(built.code, 0) << built.out;
  EXPECT_THAT(built.out, HasSubstr("pushed " + name + "@sha256:"));
  const json index = json::parse(registry.inspect("team/edge:1", {"--raw"}), nullptr, false);
  ASSERT_EQ(index.value("mediaType", ""), "application/vnd.oci.image.index.v1+json") << index;
  ASSERT_EQ(index["manifests"].size(), 2U);
  EXPECT_EQ(index["manifests"][0]["platform"]["architecture"], "386");
  const std::string log = registry.log().substr(before.size());
  const auto put = [&](const std::string& what) { return log.rfind("/v2/team/edge/manifests/" + what); };
  for (const auto& one : index["manifests"]) {
    EXPECT_LT(put(one["digest"]), put("1")) << "the tag at the very last";
  }
  const auto again = daemon->ingot({"push", "--insecure", name, registry.host() + "/team/again:1"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(json::parse(registry.inspect("team/again:1", {"--raw"}), nullptr, false), index);
  const auto plain = daemon->ingot({"build", "-q", "+t"});  // not packed, until it travels
  ASSERT_EQ(plain.code, 0) << plain.err;
  const auto later = daemon->ingot({"push", "--insecure", name, registry.host() + "/team/later:1"});
  EXPECT_EQ(later.code, 0) << later.err;
  const json late = json::parse(registry.inspect("team/later:1", {"--raw"}), nullptr, false);
  ASSERT_EQ(late["manifests"].size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(late["manifests"][i]["platform"], index["manifests"][i]["platform"]);

  daemon.emplace(std::vector<std::string>{"--images", "[{match: \"*\", source: registry, insecure: true}]"});
  const auto from = [&](const std::string& platform) {
    return build("VERSION 0.8\nt:\n    FROM --platform=" + platform + " " + name + "\n    SAVE ARTIFACT /Earthfile\n" +
                     "    SAVE IMAGE back:1\n",
                 {"+t"});
  };
  EXPECT_EQ(from("linux/s390x").code, 0);
  EXPECT_EQ(images()[0]["platforms"], json({"linux/s390x"}));
  EXPECT_EQ(from("linux/386").code, 0);
  const auto refused = from("linux/riscv64");
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.out, HasSubstr("the image has nothing for linux/riscv64; it has: linux/386, linux/s390x"));
  EXPECT_THAT(from("native").out, HasSubstr("it has: linux/386, linux/s390x"));
  const auto shown = daemon->ingot({"show", images()[0]["job"]});
  EXPECT_THAT(shown.out, HasSubstr(name + " (linux/386)"));
}

TEST_F(ImageOfPlatforms, of_an_archive_the_one_that_is_asked_for_is_taken) {
  ASSERT_EQ(build(kTwo, {"+t"}).code, 0);
  const fs::path archive = daemon->project() / "edge.tar";
  ASSERT_EQ(daemon->ingot({"image", "save", "edge:1", "-o", archive}).code, 0);
  TestDaemon other({"--images", "[{match: \"*\", source: oci-archive, path: " + archive.string() + "}]"});
  const auto from = [&](const std::string& platform) {
    other.project_file("Earthfile",
                       "VERSION 0.8\nt:\n    FROM --platform=" + platform + " edge:1\n    SAVE IMAGE b:1\n");
    auto done = other.ingot({"build", "+t"});
    done.err += done.out;
    return done;
  };
  const auto taken = from("linux/s390x");
  EXPECT_EQ(taken.code, 0) << taken.err;
  const auto refused = from("linux/riscv64");
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("the image has nothing for linux/riscv64; it has: linux/386, linux/s390x"));
}

}  // namespace
}  // namespace ingot::test
