#include "daemon/store/layer_links.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "daemon/store/tree_copy.h"
#include "daemon/sys/mounts.h"
#include "tests/support/temp.h"

// Copies between directories that stand for layers, and between mounted stacks.
namespace ingot::store {
namespace {

class LayerLinksTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "a file of another owner is linked by root only";
    directory.file("7/dir/a", "one");
    directory.file("7/dir/sub/b", "two");
    fs::create_directories(directory / "to");
    fs::create_directories(directory / "work");
    fs::create_directories(directory / "merged");
  }
  static graph::CopyOp op(std::vector<std::string> sources, const std::string& destination) {
    graph::CopyOp made;
    made.from = 0;
    made.sources = std::move(sources);
    made.destination = destination;
    made.keep_ts = true;
    made.keep_own = true;
    return made;
  }
  // Into `to`, which is the writable layer of a stack on `below`, or all of it.
  void copy(const graph::CopyOp& what, const std::vector<fs::path>& below = {}) {
    auto mount =
        sys::mount_overlay(below, directory / "to", directory / "work", directory / "merged", directory.path());
    ASSERT_TRUE(mount) << mount.error().message;
    auto links = LayerLinks::open({directory / "7"}, mount->path(), directory / "to", twins ? &*twins : nullptr);
    ASSERT_TRUE(links) << links.error().message;
    {
      auto done = copy_from_tree("COPY", what, *sys::RootedDir::open(directory / "7"),
                                 *sys::RootedDir::open(mount->path()), &*links, {});
      ASSERT_TRUE(done) << proto::render(done.error());
    }
    ASSERT_TRUE(mount->unmount());
    auto made = links->make({});
    ASSERT_TRUE(made) << proto::render(made.error());
    shares = links->shared();
  }
  static CopyAttributes as(const struct stat& file) {
    return {file.st_uid, file.st_gid, file.st_mode & 07777U, file.st_mtim, {}};
  }
  struct stat status(const std::string& path) {
    struct stat result {};
    EXPECT_EQ(lstat((directory / path).c_str(), &result), 0) << path;
    return result;
  }
  std::string text(const std::string& path) { return test::slurp(directory / path); }
  bool same_file(const std::string& one, const std::string& other) {
    return status(one).st_ino == status(other).st_ino;
  }
  test::TempDirectory directory;
  std::optional<FileTwins> twins;
  LayerShares shares;  // of the last copy
};

TEST_F(LayerLinksTest, a_file_that_stays_as_it_is_is_one_more_name_of_it) {
  copy(op({"/dir"}, "/new"));
  EXPECT_TRUE(same_file("to/new/a", "7/dir/a"));
  EXPECT_TRUE(same_file("to/new/sub/b", "7/dir/sub/b"));
  EXPECT_EQ(status("to/new/sub").st_mtim.tv_nsec, status("7/dir/sub").st_mtim.tv_nsec);
  EXPECT_EQ(text("to/new/sub/b"), "two");
}

TEST_F(LayerLinksTest, one_whose_time_owner_or_mode_changes_is_copied) {
  auto what = op({"/dir/a"}, "/timed");
  what.keep_ts = false;
  copy(what);
  what = op({"/dir/a"}, "/owned");
  what.keep_own = false;
  what.chown = "7:7";
  copy(what);
  what = op({"/dir/a"}, "/changed");
  what.chmod = 0600;
  copy(what);
  for (const char* name : {"to/timed", "to/owned", "to/changed"}) {
    EXPECT_FALSE(same_file(name, "7/dir/a")) << name;
    EXPECT_EQ(text(name), "one") << name;
  }
}

TEST_F(LayerLinksTest, the_second_copy_with_other_attributes_is_one_more_name_of_the_first) {
  twins = *FileTwins::open(directory / "twins", "boot");
  auto what = op({"/dir"}, "/one");
  what.keep_ts = false;
  copy(what);
  const auto of_file = static_cast<std::uint64_t>(status("7/dir/a").st_blocks) * 512;
  EXPECT_EQ(shares.bytes(), 0U) << "the first has its own bytes";
  EXPECT_EQ(shares.made_twins_of, std::set<SnapshotId>{7});
  what.destination = "/two";
  copy(what);
  EXPECT_EQ(shares.with_twins_of, (std::map<SnapshotId, std::uint64_t>{{7, 2 * of_file}}));
  what.destination = "/three";
  what.chmod = 0600;
  copy(what);
  EXPECT_EQ(shares.bytes(), 0U) << "another mode is another copy";
  EXPECT_FALSE(same_file("to/one/a", "7/dir/a"));
  EXPECT_TRUE(same_file("to/two/a", "to/one/a"));
  EXPECT_TRUE(same_file("to/two/sub/b", "to/one/sub/b"));
  EXPECT_FALSE(same_file("to/three/a", "to/one/a"));
  EXPECT_EQ(text("to/two/sub/b"), "two");
  EXPECT_EQ(status("to/two/a").st_mtim.tv_sec, kCopyTimeSeconds);
}

TEST_F(LayerLinksTest, a_later_boot_copies_anew_and_what_no_layer_has_any_more_goes) {
  twins = *FileTwins::open(directory / "twins", "boot");
  auto what = op({"/dir/a"}, "/one");
  what.keep_ts = false;
  copy(what);
  twins = *FileTwins::open(directory / "twins", "later");
  what.destination = "/two";
  copy(what);
  EXPECT_FALSE(same_file("to/two", "to/one")) << "the disk may not have all of the earlier one";
  const auto count = [&] {
    const auto entries = fs::recursive_directory_iterator(directory / "twins");
    return std::count_if(begin(entries), end(entries), [](const auto& entry) { return entry.is_regular_file(); });
  };
  twins->remove_unused();
  EXPECT_EQ(count(), 2);
  fs::remove(directory / "to/one");
  twins->remove_unused();
  EXPECT_EQ(count(), 1);
  fs::remove(directory / "to/two");
  twins->remove_unused();
  EXPECT_TRUE(fs::is_empty(directory / "twins")) << "no empty directory stays";
}

TEST_F(LayerLinksTest, a_blob_becomes_the_file_and_takes_its_shape_once) {
  auto blobs = *BlobStore::open(directory / "blobs", "boot");
  auto writer = *blobs.begin();
  const std::string bytes(2 << 20, 'x');
  ASSERT_TRUE(writer.write(bytes));
  const auto blob = *writer.commit(Durability::now);
  const auto place = [&](const std::string& name, const CopyAttributes& attributes) {
    auto links = *LayerLinks::open(blobs, directory / "to", directory / "to");
    const auto holder = *sys::RootedDir::open(directory / "to");
    EXPECT_TRUE(links.note_blob(blob, {"/", holder.fd()}, name, attributes));
    const auto made = links.make({});
    EXPECT_TRUE(made) << proto::render(made.error());
    EXPECT_EQ(text("to/" + name), bytes);
    EXPECT_EQ(as(status("to/" + name)).mode, attributes.mode);
    EXPECT_EQ(status("to/" + name).st_uid, attributes.uid);
    return links.shared().with_blobs.contains(blob.str());
  };
  const CopyAttributes program{0, 0, 0755, {kCopyTimeSeconds, 0}, {}};
  EXPECT_TRUE(place("one", program));
  EXPECT_TRUE(place("two", program));
  EXPECT_TRUE(same_file("to/one", "to/two"));
  EXPECT_FALSE(place("mode", {0, 0, 0600, {kCopyTimeSeconds, 0}, {}})) << "the others keep theirs";
  EXPECT_FALSE(place("owner", {7, 7, 0755, {kCopyTimeSeconds, 0}, {}}));
  fs::remove(directory / "to/one");
  fs::remove(directory / "to/two");
  EXPECT_FALSE(place("for all", {0, 0, 0666, {kCopyTimeSeconds, 0}, {}})) << "who has the blob open could write to it";
  EXPECT_FALSE(place("of root", {0, 0, 04755, {kCopyTimeSeconds, 0}, {}})) << "who has it open could execute it";
  EXPECT_TRUE(place("again", {0, 0, 0600, {7, 0}, {}})) << "nobody has it any more";
}

TEST_F(LayerLinksTest, a_file_that_somebody_took_out_of_the_layer_is_an_error) {
  auto links = *LayerLinks::open({directory / "7"}, directory / "to", directory / "to", nullptr);
  const auto holder = *sys::RootedDir::open(directory / "to");
  const auto shown = status("7/dir/a");
  ASSERT_TRUE(links.note(links.source("/dir"), "a", shown, {"/", holder.fd()}, "a", as(shown)));
  fs::remove(directory / "7/dir/a");
  const auto made = links.make({});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::not_found);
}

TEST_F(LayerLinksTest, names_of_one_file_stay_names_of_one_file) {
  twins = *FileTwins::open(directory / "twins", "boot");
  fs::create_hard_link(directory / "7/dir/a", directory / "7/dir/z");
  auto what = op({"/dir"}, "/one");
  what.keep_ts = false;
  copy(what);
  EXPECT_TRUE(same_file("to/one/a", "to/one/z"));
  EXPECT_FALSE(same_file("to/one/a", "7/dir/a"));
}

TEST_F(LayerLinksTest, it_takes_the_place_of_what_a_lower_layer_has) {
  directory.file("below/dir/a", "before");
  copy(op({"/dir/a"}, "/dir/a"), {directory / "below"});
  EXPECT_EQ(text("below/dir/a"), "before");
  EXPECT_EQ(text("to/dir/a"), "one");
}

TEST_F(LayerLinksTest, of_several_with_one_name_the_last_stays) {
  directory.file("7/other/a", "other");
  copy(op({"/dir/a", "/other/a"}, "/into/"));
  EXPECT_EQ(text("to/into/a"), "other");
}

TEST_F(LayerLinksTest, what_another_layer_hides_is_not_taken_for_what_is_shown) {
  directory.file("hidden/dir/a", "hidden");
  auto links = LayerLinks::open({directory / "7", directory / "hidden"}, directory / "to", directory / "to", nullptr);
  ASSERT_TRUE(links);
  auto holder = sys::RootedDir::open(directory / "to");
  const auto note = [&](const std::string& name, const struct stat& shown) {
    return links->note(links->source("/dir"), name, shown, {"/", holder->fd()}, "a", as(shown));
  };
  EXPECT_FALSE(note("a", status("7/dir/a")));
  EXPECT_TRUE(note("a", status("hidden/dir/a")));
  EXPECT_FALSE(note("none", status("hidden/dir/a")));
}

TEST_F(LayerLinksTest, a_directory_that_the_writable_layer_has_not_takes_none) {
  fs::create_directories(directory / "elsewhere");
  auto links = LayerLinks::open({directory / "7"}, directory / "to", directory / "to", nullptr);
  ASSERT_TRUE(links);
  auto holder = sys::RootedDir::open(directory / "elsewhere");
  const auto shown = status("7/dir/a");
  EXPECT_FALSE(links->note(links->source("/dir"), "a", shown, {"/", holder->fd()}, "a", as(shown)));
}

}  // namespace
}  // namespace ingot::store
