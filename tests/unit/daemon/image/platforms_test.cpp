#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "daemon/image/images.h"
#include "daemon/image/oci_index.h"
#include "daemon/image/rules.h"
#include "tests/support/fakes.h"
#include "tests/support/oci_layout.h"
#include "tests/support/temp.h"

namespace ingot::image {
namespace {

using nlohmann::json;
using test::TarBytes;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

base::Platform platform(const std::string& text) {
  return base::parse_platform(text).value();
}

// Images whose only file says which one it is.
class ImagePlatforms : public testing::Test {
 protected:
  json add(const std::string& name, const std::string& architecture, const std::string& stated_by_index = {},
           const std::string& variant = {}) {
    const json config = {{"Env", {"IS=" + name}}};
    json image = layout.add_image({TarBytes().file("name", name).bytes()}, config, architecture);
    if (!stated_by_index.empty()) {
      image["platform"] = {{"os", "linux"}, {"architecture", stated_by_index}};
      if (!variant.empty()) image["platform"]["variant"] = variant;
    }
    return image;
  }
  Result<OciImage> read(const std::string& wanted) { return read_oci_image(layout.path(), {{}, "", platform(wanted)}); }
  // Which one it is, or the error.
  std::string found(const std::string& wanted) {
    const auto image = read(wanted);
    return image ? image->config.env.front().second : image.error().message + "; " + image.error().hint;
  }

  test::TempDirectory directory;
  test::OciLayout layout{directory / "layout"};
};

TEST_F(ImagePlatforms, of_an_index_the_nearest_is_taken) {
  layout.write_index({layout.add_index({add("five", "arm", "arm", "v5"), add("seven", "arm", "arm", "v7"),
                                        add("six", "arm", "arm", "v6"), add("arm", "arm64", "arm64", "v8"),
                                        add("x", "amd64", "amd64"), add("statement", "", "unknown")})});
  EXPECT_EQ(found("linux/arm/v7"), "seven");
  EXPECT_EQ(found("linux/arm/v6"), "six");
  EXPECT_EQ(found("linux/arm64"), "arm");
  EXPECT_EQ(found("linux/amd64/v2"), "x");
  EXPECT_EQ(found("linux/s390x"),
            "the image has nothing for linux/s390x; it has: linux/arm/v5, linux/arm/v7, linux/arm/v6, linux/arm64, "
            "linux/amd64");
}

TEST_F(ImagePlatforms, one_that_comes_alone_must_be_what_is_asked_for) {
  layout.write_index({add("one", "s390x")});
  EXPECT_EQ(found("linux/s390x"), "one");
  EXPECT_EQ(found("linux/riscv64"),
            "the image is for linux/s390x, and wanted is one for linux/riscv64; FROM --platform=linux/s390x takes it "
            "as what it is");
  EXPECT_TRUE(read("linux/s390x")->names_platform);
}

TEST_F(ImagePlatforms, what_its_index_says_counts_for_more_than_what_it_says_itself) {
  layout.write_index({layout.add_index({add("cross", "amd64", "s390x")})});
  EXPECT_EQ(found("linux/s390x"), "cross");
}

TEST_F(ImagePlatforms, one_that_says_nothing_is_taken_for_what_is_asked_for) {
  layout.write_index({add("silent", "")});
  EXPECT_EQ(found("linux/s390x"), "silent");
  EXPECT_FALSE(read("linux/s390x")->names_platform);
}

TEST_F(ImagePlatforms, one_for_arm_need_not_say_which) {
  layout.write_index({add("old", "arm")});
  EXPECT_EQ(found("linux/arm/v6"), "old");
  EXPECT_EQ(found("linux/arm/v7"), "old");
}

TEST_F(ImagePlatforms, a_registrys_answer_names_the_manifest) {
  const json seven = add("seven", "arm", "arm", "v7");
  const json index = {{"manifests", {add("x", "amd64", "amd64"), seven}}};
  EXPECT_EQ(manifest_for(index.dump(), platform("linux/arm/v7"))->value(), seven["digest"]);
  EXPECT_THAT(manifest_for(index.dump(), platform("linux/s390x")).error().hint,
              HasSubstr("it has: linux/amd64, linux/arm/v7"));
  EXPECT_EQ(manifest_for(R"({"layers": []})", platform("linux/s390x")).value(), std::nullopt);
  EXPECT_EQ(manifest_for("no JSON", platform("linux/s390x")).value(), std::nullopt);
}

TEST(ImageKeys, of_the_hosts_own_platform_are_what_they_always_were) {
  const auto reference = *parse_reference("debian:12");
  EXPECT_EQ(key_of({}, reference), "docker.io/library/debian:12");
  EXPECT_EQ(key_of({}, reference, base::native_platform()), key_of({}, reference));
  EXPECT_NE(key_of({}, reference, platform("linux/s390x")), key_of({}, reference));
}

// What the programs are called with.
class FetchedPlatforms : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the snapshot store needs root";
    database = std::move(*db::Database::open(directory / "x.db"));
    snapshots.emplace(*store::SnapshotStore::open(directory / "s", *database));
    blobs.emplace(*store::BlobStore::open(directory / "b"));
    std::filesystem::create_directory(directory / "work");
  }
  Result<Image> resolve(const SourceRule& rule, const std::string& name, const std::string& wanted) {
    Images images({rule}, directory / "work", *blobs, *snapshots, *database, processes);
    return images.resolve(
        name, [](const std::string&) {}, {}, proto::PullPolicy::missing, platform(wanted));
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  std::optional<store::SnapshotStore> snapshots;
  std::optional<store::BlobStore> blobs;
  test::FakeProcesses processes{
      [](const sys::Command& command, const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
        if (command.argv.back().starts_with("docker://")) {
          sink(sys::Stream::out, R"({"manifests": [{"digest": "sha256:1", "size": 1, "platform": {"os": "linux",
                                "architecture": "riscv64"}}]})");
        }
        return sys::ExitStatus{};
      }};
};

TEST_F(FetchedPlatforms, a_bootstrap_is_told_the_architecture_as_Debian_calls_it) {
  for (const auto& [wanted, debian] : std::vector<std::pair<std::string, std::string>>{{"linux/arm64", "arm64"},
                                                                                       {"linux/arm/v7", "armhf"},
                                                                                       {"linux/arm/v6", "armel"},
                                                                                       {"linux/ppc64le", "ppc64el"}}) {
    const auto image = resolve({"*", "bootstrap", {{"variant", "extract"}}}, "debian:12", wanted);
    ASSERT_TRUE(image) << proto::render(image.error());
    EXPECT_THAT(processes.commands().back().argv, Contains("--architectures=" + debian));
    EXPECT_EQ(image->source, "bootstrap bookworm " + debian);
  }
  ASSERT_TRUE(resolve({"*", "bootstrap", {}}, "debian:12", base::native_platform().text()));
  EXPECT_THAT(processes.commands().back().argv, Not(Contains(HasSubstr("--architectures"))));
}

TEST_F(FetchedPlatforms, an_image_that_its_registry_lacks_is_refused_with_what_there_is) {
  const auto image = resolve({"*", "registry", {}}, "edge:1", "linux/s390x");
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().message, "cannot get image \"edge:1\" for linux/s390x");
  EXPECT_THAT(image.error().context.front(), HasSubstr("the image has nothing for linux/s390x; it has: linux/riscv64"));
}

}  // namespace
}  // namespace ingot::image
