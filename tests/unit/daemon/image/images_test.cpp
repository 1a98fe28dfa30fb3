#include "daemon/image/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "daemon/image/layer_unpack.h"
#include "daemon/image/reference.h"
#include "tests/support/fakes.h"
#include "tests/support/temp.h"
#include "tests/support/test_daemon.h"
#include "tests/support/tiny_image.h"

namespace ingot::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

TEST(Reference, knows_what_docker_users_write) {
  EXPECT_EQ(parse_reference("debian")->full(), "docker.io/library/debian:latest");
  EXPECT_EQ(parse_reference("docker.io/library/debian:bookworm")->familiar(), "debian:bookworm");
  EXPECT_EQ(parse_reference("me/tool:1")->full(), "docker.io/me/tool:1");
  EXPECT_EQ(parse_reference("localhost:5000/x/y")->registry, "localhost:5000");
  EXPECT_EQ(parse_reference("r.example/x@sha256:" + std::string(64, 'a'))->tag, "");
  EXPECT_THAT(parse_reference("https://r.example/x").error().message, HasSubstr("it has a scheme"));
  EXPECT_FALSE(parse_reference("UPPER"));
  EXPECT_FALSE(parse_reference(""));
}

class ImagesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "unpacking an image with its owners needs root";
    test::write_tiny_image(directory / "layout");
    database = std::move(*db::Database::open(directory / "x.db"));
    snapshots.emplace(*store::SnapshotStore::open(directory / "s", *database));
    blobs.emplace(*store::BlobStore::open(directory / "b"));
    fs::create_directory(directory / "work");
  }
  Result<Image> resolve(std::vector<SourceRule> rules, const std::string& name,
                        sys::ProcessRunner& processes = sys::system_processes()) {
    Images images(std::move(rules), directory / "work", *blobs, *snapshots, *database, processes);
    return images.resolve(name, [](const std::string&) {}, {});
  }
  SourceRule layout_rule() { return {"*", "oci-layout", {{"path", directory / "layout"}}}; }
  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  std::optional<store::SnapshotStore> snapshots;
  std::optional<store::BlobStore> blobs;
};

TEST_F(ImagesTest, an_oci_layout_becomes_snapshots_once) {
  auto first = resolve({layout_rule()}, "tiny");
  ASSERT_TRUE(first) << proto::render(first.error());
  EXPECT_THAT(first->config.env, ElementsAre(testing::Pair("PATH", "/bin"), testing::Pair("TINY", "yes")));
  EXPECT_TRUE(fs::exists(snapshots->layers(first->snapshot)->front() / "bin/busybox"));
  fs::remove_all(directory / "layout");
  EXPECT_EQ(resolve({layout_rule()}, "tiny")->snapshot, first->snapshot) << "kept, and found again";
}

TEST_F(ImagesTest, a_damaged_layer_is_refused_and_leaves_nothing) {
  for (const auto& blob : fs::directory_iterator(directory / "layout/blobs/sha256")) {
    if (fs::file_size(blob.path()) > 100'000) fs::resize_file(blob.path(), 1000);
  }
  auto failed = resolve({layout_rule()}, "tiny");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().context.front(), HasSubstr("is damaged: it has 1000 bytes, not "));
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
}

TEST_F(ImagesTest, every_source_that_was_tried_is_named) {
  test::FakeProcesses processes([](const sys::Command& command,
                                   const sys::OutputSink& sink) -> Result<sys::ExitStatus> {
    sink(sys::Stream::err, command.argv.front() == "skopeo" ? "level=fatal msg=\"no such host\"\n" : "E: no mirror\n");
    sys::ExitStatus status;
    status.code = 1;
    return status;
  });
  auto failed = resolve(default_rules(), "debian:bookworm", processes);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::not_found);
  EXPECT_EQ(failed.error().message, "cannot get image \"debian:bookworm\"");
  const std::string all = proto::render(failed.error());
  EXPECT_THAT(all, HasSubstr("bootstrap (rule \"debian:*\"): mmdebstrap of bookworm ended with status 1: no mirror"));
  EXPECT_THAT(all,
              HasSubstr("registry (rule \"*\"): skopeo inspect docker://docker.io/library/debian:bookworm ended with "
                        "status 1: no such host"));
}

TEST_F(ImagesTest, eight_that_ask_at_once_cost_one_fetch) {
  std::atomic<int> calls{0};
  test::FakeProcesses processes([&](const sys::Command& command, const sys::OutputSink&) -> Result<sys::ExitStatus> {
    ++calls;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    fs::create_directories(fs::path(command.argv.back()) / "etc");
    return sys::ExitStatus{};
  });
  Images images(default_rules(), directory / "work", *blobs, *snapshots, *database, processes);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(images.resolve("debian:12", [](const std::string&) {}, {})); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(calls, 1);
}

TEST_F(ImagesTest, whiteouts_become_overlays_own_and_hostile_names_are_refused) {
  directory.file("l/etc/.wh.gone", "");
  directory.file("l/opt/.wh..wh..opq", "");
  ASSERT_EQ(test::run_program({"tar", "-C", directory / "l", "-cf", directory / "l.tar", "."}).code, 0);
  fs::create_directory(directory / "out");
  ASSERT_TRUE(unpack_layer(directory / "l.tar", directory / "out"));
  EXPECT_TRUE(fs::is_character_file(directory / "out/etc/gone"));
  EXPECT_FALSE(fs::exists(directory / "out/opt/.wh..wh..opq"));

  fs::create_directory(directory / "outside");
  fs::create_directories(directory / "e");
  fs::create_symlink(directory / "outside", directory / "e/link");
  ASSERT_EQ(test::run_program({"tar", "-C", directory / "e", "-cf", directory / "e.tar", "link"}).code, 0);
  directory.file("f/link/evil", "x");
  ASSERT_EQ(test::run_program({"tar", "-C", directory / "f", "-rf", directory / "e.tar", "link/evil"}).code, 0);
  fs::create_directory(directory / "out2");
  auto refused = unpack_layer(directory / "e.tar", directory / "out2");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(fs::is_empty(directory / "outside"));
}

TEST_F(ImagesTest, what_is_no_layer_may_have_files_called_as_whiteouts) {
  directory.file("l/etc/.wh.gone", "1");
  directory.file("l/.wh..wh..opq", "2");
  ASSERT_EQ(test::run_program({"tar", "-C", directory / "l", "-cf", directory / "l.tar", "."}).code, 0);
  fs::create_directory(directory / "out");
  ASSERT_TRUE(unpack_files(directory / "l.tar", directory / "out"));
  EXPECT_EQ(test::slurp(directory / "out/etc/.wh.gone"), "1");
  EXPECT_EQ(test::slurp(directory / "out/.wh..wh..opq"), "2");
  EXPECT_FALSE(fs::exists(directory / "out/etc/gone"));
}

}  // namespace
}  // namespace ingot::image
