#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "daemon/base/digest.h"
#include "daemon/store/artifacts.h"
#include "daemon/store/context_copy.h"
#include "daemon/store/contexts.h"
#include "daemon/store/manifest_check.h"
#include "daemon/store/snapshots.h"
#include "tests/support/temp.h"

namespace ingot::store {
namespace {

using testing::HasSubstr;

class StoreTest : public testing::Test {
 protected:
  StoreTest() : blobs(*BlobStore::open(directory / "blobs")) {}

  proto::ManifestEntry file(const std::string& path, const std::string& text) {
    auto writer = *blobs.begin();
    EXPECT_TRUE(writer.write(text));
    return {path, proto::EntryType::file, 0644, text.size(), 0, writer.commit(Durability::later)->str(), ""};
  }
  test::TempDirectory directory;
  BlobStore blobs;
};

TEST_F(StoreTest, a_blob_has_its_digest_and_a_broken_one_leaves_nothing) {
  auto writer = *blobs.begin();
  ASSERT_TRUE(writer.write("hello"));
  auto digest = writer.commit(Durability::now, base::Digest::of("hello"));
  ASSERT_TRUE(digest);
  EXPECT_EQ(test::slurp(blobs.path(*digest)), "hello");
  {
    auto wrong = *blobs.begin();
    ASSERT_TRUE(wrong.write("other"));
    EXPECT_EQ(wrong.commit(Durability::now, base::Digest::of("hello")).error().kind, ErrorKind::invalid);
  }
  { auto forgotten = *blobs.begin(); }
  EXPECT_TRUE(fs::is_empty(directory / "blobs/tmp"));
}

TEST_F(StoreTest, a_context_asks_for_what_is_missing_and_is_kept_when_nothing_is) {
  auto contexts = *ContextStore::open(directory / "contexts", blobs, {});
  proto::ContextManifest manifest;
  manifest.entries = {file("a", "one"), {"b", proto::EntryType::file, 0644, 3, 0, base::Digest::of("two").str(), ""}};
  auto offered = contexts.offer(manifest);
  ASSERT_TRUE(offered);
  EXPECT_EQ(offered->missing, std::vector<std::string>{base::Digest::of("two").str()});
  EXPECT_EQ(contexts.load(*base::Digest::parse(offered->digest)).error().kind, ErrorKind::not_found);
  file("x", "two");
  EXPECT_TRUE(contexts.offer(manifest)->missing.empty());
  EXPECT_EQ(contexts.load(*base::Digest::parse(offered->digest))->entries.size(), 2U);
}

TEST_F(StoreTest, refuses_manifests_that_contradict_themselves_or_are_too_large) {
  auto check = [&](std::vector<proto::ManifestEntry> entries, ContextLimits limits = {}) {
    auto status = check_manifest({std::move(entries)}, limits);
    return status ? "ok" : status.error().message;
  };
  EXPECT_EQ(check({file("a", ""), file("a", "")}), "context path \"a\" is listed twice");
  EXPECT_EQ(check({file("a", ""), file("a/b", "")}), "context path \"a/b\" lies below \"a\", which is no directory");
  EXPECT_EQ(check({file("big", "123456")}, {10, 5, 100}),
            "context path \"big\" has 6 B; the limit for one file is 5 B");
  EXPECT_THAT(check({file("a", "123"), file("b", "456")}, {10, 5, 5}), HasSubstr("it was passed at \"b\""));
  EXPECT_THAT(check({file("a", ""), file("b", "")}, {1, 5, 5}), HasSubstr("2 entries; the limit is 1"));
  EXPECT_TRUE(link_stays_inside("d/e/l", "../../x"));
  EXPECT_FALSE(link_stays_inside("d/l", "../../x"));
  EXPECT_FALSE(link_stays_inside("l", "a/../../x"));
  EXPECT_FALSE(link_stays_inside("l", "/etc/passwd"));
}

class CopyTest : public StoreTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "COPY sets owners, which needs root";
    fs::create_directories(directory / "root/existing");
    root.emplace(*sys::RootedDir::open(directory / "root"));
    context.entries = {file("Earthfile", "x"),
                       file("src/a.c", "a"),
                       file("src/b.c", "b"),
                       file("src/sub/c.h", "c"),
                       {"link", proto::EntryType::symlink, 0777, 0, 0, "", "src"}};
  }
  std::string copy(graph::CopyOp op) {
    auto done = copy_from_context(op, ContextTree(context), blobs, *root);
    return done ? "" : proto::render(done.error());
  }
  static graph::CopyOp op(std::vector<std::string> sources, std::string destination, bool directory = false) {
    graph::CopyOp made;
    made.sources = std::move(sources);
    made.destination = std::move(destination);
    made.destination_is_directory = directory;
    return made;
  }
  bool there(const std::string& path) { return fs::exists(directory / ("root/" + path)); }
  std::optional<sys::RootedDir> root;
  proto::ContextManifest context;
};

TEST_F(CopyTest, a_directory_gives_its_contents_and_dir_gives_itself) {
  EXPECT_EQ(copy(op({"src"}, "/one")), "");
  EXPECT_TRUE(there("one/a.c") && there("one/sub/c.h"));
  auto itself = op({"src"}, "/existing");
  itself.dir = true;
  EXPECT_EQ(copy(itself), "");
  EXPECT_TRUE(there("existing/src/sub/c.h"));
  itself.destination = "/renamed";
  EXPECT_EQ(copy(itself), "");
  EXPECT_TRUE(there("renamed/a.c")) << "--dir to a place that is not there renames";
}

TEST_F(CopyTest, files_globs_and_renames) {
  EXPECT_EQ(copy(op({"src/a.c"}, "/x/renamed.c")), "");
  EXPECT_TRUE(there("x/renamed.c"));
  EXPECT_EQ(copy(op({"src/*.c"}, "/y", true)), "");
  EXPECT_TRUE(there("y/a.c") && there("y/b.c") && !there("y/sub"));
  EXPECT_EQ(copy(op({"."}, "/all", true)), "");
  EXPECT_TRUE(there("all/src/a.c") && there("all/Earthfile"));
  EXPECT_EQ(fs::read_symlink(directory / "root/all/link"), "src");
}

TEST_F(CopyTest, what_is_missing_is_said_with_a_neighbour) {
  EXPECT_EQ(copy(op({"src/a.cc"}, "/x")),
            "\"src/a.cc\" is not in the project directory\nhint: did you mean \"src/a.c\" or \"src/b.c\"?");
  auto optional = op({"nothing"}, "/x");
  optional.if_exists = true;
  EXPECT_EQ(copy(optional), "");
}

TEST_F(CopyTest, a_hostile_link_in_the_image_leads_nowhere) {
  fs::create_directory(directory / "outside");
  fs::create_symlink(directory / "outside", directory / "root/evil");
  (void)copy(op({"src/a.c"}, "/evil/a.c"));
  EXPECT_TRUE(fs::is_empty(directory / "outside"));
}

TEST_F(CopyTest, artifacts_are_found_by_glob_and_directories_are_the_same_bytes_twice) {
  ASSERT_EQ(copy(op({"src"}, "/out")), "");
  graph::SaveArtifact save;
  save.source = "/out/*.c";
  save.name = "code";
  save.local_path = "build";
  auto saved = save_artifacts(save, *root, blobs);
  ASSERT_TRUE(saved);
  ASSERT_EQ(saved->size(), 2U);
  EXPECT_EQ((*saved)[1].name, "code/b.c");
  EXPECT_EQ((*saved)[1].local_path, "build/b.c");
  save.source = "/out";
  const std::string first = save_artifacts(save, *root, blobs)->front().digest;
  fs::last_write_time(directory / "root/out/a.c", fs::file_time_type::clock::now());
  EXPECT_EQ(save_artifacts(save, *root, blobs)->front().digest, first);
  save.source = "/uot";
  save.position = {"Earthfile", 9, 5, ""};
  auto missing = save_artifacts(save, *root, blobs);
  ASSERT_FALSE(missing);
  EXPECT_EQ(proto::render(missing.error()),
            "Earthfile:9:5: SAVE ARTIFACT: \"/uot\" is not in the target's file system\nhint: did you mean \"out\"?");
}

TEST(Snapshots, are_kept_by_what_stands_on_them) {
  test::TempDirectory directory;
  auto database = *db::Database::open(directory / "x.db");
  auto store = *SnapshotStore::open(directory / "s", *database);
  auto base = store.commit(*store.begin(std::nullopt))->id();
  auto top = store.commit(*store.begin(base))->id();
  auto loose = store.commit(*store.begin(base))->id();
  EXPECT_EQ(store.layers(top)->size(), 2U);
  EXPECT_EQ(store.layers(top)->front(), directory / ("s/" + std::to_string(base)));
  ASSERT_TRUE(database->transaction([&]() -> Status {
    INGOT_TRY(auto image, database->prepare("INSERT INTO images VALUES ('k', 'r', 's', ?, '{}', 1, 'd')"));
    return image.bind(1, top).run();
  }));
  fs::create_directory(directory / "s/999");
  { auto pending = *store.begin(base); }
  ASSERT_TRUE(store.remove_unreferenced());
  EXPECT_TRUE(store.layers(top));
  EXPECT_FALSE(store.layers(loose));
  EXPECT_FALSE(fs::exists(directory / "s/999")) << "a directory without a row is what a crash left";
  EXPECT_TRUE(fs::is_empty(directory / "s/pending"));
}

}  // namespace
}  // namespace ingot::store
