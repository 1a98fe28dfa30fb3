#include "daemon/store/artifacts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp.h"

namespace ingot::store {
namespace {

class Artifacts : public testing::Test {
 protected:
  Artifacts() : blobs(*BlobStore::open(directory / "blobs", "boot")) {
    directory.file("root/out/a.iso", "iso a");
    directory.file("root/out/b.iso", "iso b");
    directory.file("root/out/notes", "text");
    save.position = {"Earthfile", 9, 5, ""};
  }
  Result<std::vector<proto::Artifact>> run(const std::string& source, const std::string& name = "x") {
    save.source = source;
    save.name = name;
    return save_artifacts(save, *sys::RootedDir::open(directory / "root"), blobs);
  }
  std::string failure(const std::string& source) {
    auto saved = run(source);
    return saved ? "saved" : proto::render(saved.error());
  }
  std::string bytes(const proto::Artifact& artifact) {
    return test::slurp(blobs.path(*base::Digest::parse(artifact.digest)));
  }
  test::TempDirectory directory;
  BlobStore blobs;
  graph::SaveArtifact save;
};

TEST_F(Artifacts, a_file_has_its_bytes_mode_and_type) {
  ASSERT_EQ(chmod((directory / "root/out/a.iso").c_str(), 0640), 0);
  save.local_path = "build/a.iso";
  auto saved = run("/out/a.iso", "images/a.iso");
  ASSERT_TRUE(saved);
  ASSERT_EQ(saved->size(), 1U);
  const auto& artifact = saved->front();
  EXPECT_EQ(bytes(artifact), "iso a");
  EXPECT_EQ(artifact.digest, base::Digest::of("iso a").str());
  EXPECT_EQ(artifact.size, 5U);
  EXPECT_EQ(artifact.mode, 0640U);
  EXPECT_EQ(artifact.media_type, "application/x-iso9660-image");
  EXPECT_EQ(artifact.name, "images/a.iso");
  EXPECT_EQ(artifact.local_path, "build/a.iso");
  EXPECT_EQ(artifact.id, "");
}

TEST_F(Artifacts, each_match_of_a_pattern_goes_below_the_name) {
  save.local_path = "build";
  auto saved = run("/o*/*.iso", "images");
  ASSERT_TRUE(saved);
  ASSERT_EQ(saved->size(), 2U);
  EXPECT_EQ(saved->front().name, "images/a.iso");
  EXPECT_EQ(saved->back().name, "images/b.iso");
  EXPECT_EQ(saved->back().local_path, "build/b.iso");
  EXPECT_EQ(run("/out/*.iso", ".")->front().name, "a.iso");
}

TEST_F(Artifacts, the_whole_file_system_is_one_directory) {
  auto saved = run("/", "rootfs");
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->front().media_type, proto::kDirectoryMediaType);
  EXPECT_EQ(saved->front().name, "rootfs");
}

TEST_F(Artifacts, links_are_followed_inside_of_the_root) {
  fs::create_symlink("/out/a.iso", directory / "root/latest");
  EXPECT_EQ(bytes(run("/latest")->front()), "iso a");
  save.symlink_no_follow = true;
  EXPECT_EQ(
      failure("/latest"),
      "Earthfile:9:5: SAVE ARTIFACT --symlink-no-follow: \"/latest\" is a symlink\nhint: an artifact is a file or "
      "a directory: save what the link leads to, or the directory that has it");
  save.symlink_no_follow = false;
  directory.file("secret", "of the host");
  fs::create_symlink(directory / "secret", directory / "root/out/leak");
  EXPECT_EQ(failure("/out/leak"), "Earthfile:9:5: SAVE ARTIFACT: \"/out/leak\" is a symlink to what is not there");
}

TEST_F(Artifacts, what_is_missing_is_said_with_what_is_there) {
  EXPECT_EQ(
      failure("/out/a.is"),
      "Earthfile:9:5: SAVE ARTIFACT: \"/out/a.is\" is not in the target's file system\nhint: did you mean \"a.iso\"?");
  EXPECT_EQ(failure("/uot/a.iso"),
            "Earthfile:9:5: SAVE ARTIFACT: \"/uot/a.iso\" is not in the target's file system\nhint: did you mean "
            "\"out\"?");
  EXPECT_EQ(failure("/out/*.img"),
            "Earthfile:9:5: SAVE ARTIFACT: \"/out/*.img\" is not in the target's file system\nhint: /out has: a.iso, "
            "b.iso, notes");
  for (int i = 0; i < 9; ++i) directory.file("root/many/entry-" + std::to_string(i), "");
  EXPECT_EQ(failure("/many/thing"),
            "Earthfile:9:5: SAVE ARTIFACT: \"/many/thing\" is not in the target's file system\nhint: /many has: "
            "entry-0, entry-1, entry-2, entry-3, entry-4, entry-5, entry-6, entry-7, ...");
  fs::create_directory(directory / "root/empty");
  EXPECT_EQ(failure("/empty/x"),
            "Earthfile:9:5: SAVE ARTIFACT: \"/empty/x\" is not in the target's file system\nhint: /empty is empty");
  EXPECT_EQ(run("/empty/x").error().kind, ErrorKind::not_found);
  save.if_exists = true;
  EXPECT_TRUE(run("/out/none")->empty());
}

TEST_F(Artifacts, a_pipe_is_no_artifact_and_does_not_hang) {
  ASSERT_EQ(mkfifo((directory / "root/out/pipe").c_str(), 0600), 0);
  EXPECT_EQ(failure("/out/pipe"), "Earthfile:9:5: SAVE ARTIFACT: \"/out/pipe\" is neither a file nor a directory");
}

TEST_F(Artifacts, media_types_are_by_the_names_end) {
  EXPECT_EQ(media_type_of("a.tar"), "application/x-tar");
  EXPECT_EQ(media_type_of("a.tar.gz"), "application/gzip");
  EXPECT_EQ(media_type_of("a.tar.zst"), "application/zstd");
  EXPECT_EQ(media_type_of("m.json"), "application/json");
  EXPECT_EQ(media_type_of("n.txt"), "text/plain");
  EXPECT_EQ(media_type_of("vmlinuz"), "application/octet-stream");
  EXPECT_EQ(media_type_of(".iso"), "application/octet-stream") << "a name, not an ending";
}

}  // namespace
}  // namespace ingot::store
