#include "daemon/store/context_copy.h"
#include "daemon/store/copy_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp.h"

namespace ingot::store {
namespace {

using proto::EntryType;

class ContextCopy : public testing::Test {
 protected:
  ContextCopy() : blobs(*BlobStore::open(directory / "blobs", "boot")) {
    fs::create_directories(directory / "root/existing");
    context.entries = {file("Earthfile", "x"),
                       file("src/a.c", "a"),
                       file("src/b.c", "b"),
                       file("src/sub/c.h", "c"),
                       {"src/empty", EntryType::directory, 0750, 0, 7, "", ""},
                       link("to-src", "src"),
                       link("to-a", "src/a.c"),
                       link("src/sub/up", "../a.c")};
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "COPY sets owners, which needs root";
  }
  proto::ManifestEntry file(const std::string& path, const std::string& text, unsigned mode = 0644) {
    auto writer = *blobs.begin();
    EXPECT_TRUE(writer.write(text));
    return {path,        EntryType::file,           mode,
            text.size(), 1'600'000'000'000'000'005, writer.commit(Durability::later)->str(),
            ""};
  }
  static proto::ManifestEntry link(const std::string& path, const std::string& target) {
    return {path, EntryType::symlink, 0777, 0, 0, "", target};
  }
  static graph::CopyOp op(std::vector<std::string> sources, const std::string& destination) {
    graph::CopyOp made;
    made.sources = std::move(sources);
    made.destination = destination;
    if (destination.size() > 1 && destination.ends_with('/')) {
      made.destination.pop_back();
      made.destination_is_directory = true;
    }
    return made;
  }
  std::string copy(const graph::CopyOp& op) {
    auto done = copy_from_context(op, ContextTree(context), blobs, *sys::RootedDir::open(directory / "root"));
    return done ? "" : proto::render(done.error());
  }
  // What is below /`path` of the root, sorted.
  std::vector<std::string> tree(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(directory / ("root/" + path))) {
      names.push_back(entry.path().lexically_relative(directory / ("root/" + path)).string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  struct stat status(const std::string& path) {
    struct stat result {};
    EXPECT_EQ(lstat((directory / ("root/" + path)).c_str(), &result), 0) << path;
    return result;
  }
  test::TempDirectory directory;
  BlobStore blobs;
  proto::ContextManifest context;
};

using testing::ElementsAre;

TEST_F(ContextCopy, a_directory_gives_its_contents) {
  EXPECT_EQ(copy(op({"src"}, "/new")), "");
  EXPECT_THAT(tree("new"), ElementsAre("a.c", "b.c", "empty", "sub", "sub/c.h", "sub/up"));
  EXPECT_EQ(copy(op({"src/"}, "/existing/")), "");
  EXPECT_THAT(tree("existing"), ElementsAre("a.c", "b.c", "empty", "sub", "sub/c.h", "sub/up"));
  EXPECT_EQ(fs::read_symlink(directory / "root/new/sub/up"), "../a.c");
}

TEST_F(ContextCopy, dir_keeps_the_directory_where_the_destination_is_one) {
  auto with_dir = [](graph::CopyOp made) {
    made.dir = true;
    return made;
  };
  EXPECT_EQ(copy(with_dir(op({"src/sub"}, "/a/"))), "");
  EXPECT_THAT(tree("a"), ElementsAre("sub", "sub/c.h", "sub/up"));
  EXPECT_EQ(copy(with_dir(op({"src/sub"}, "/existing"))), "");
  EXPECT_THAT(tree("existing"), ElementsAre("sub", "sub/c.h", "sub/up"));
  EXPECT_EQ(copy(with_dir(op({"src/sub", "src/empty"}, "/several"))), "");
  EXPECT_THAT(tree("several"), ElementsAre("empty", "sub", "sub/c.h", "sub/up"));
  EXPECT_EQ(copy(with_dir(op({"src/sub"}, "/renamed"))), "");
  EXPECT_THAT(tree("renamed"), ElementsAre("c.h", "up"));
}

TEST_F(ContextCopy, what_is_excluded_counts_as_if_it_were_not_there) {
  const auto without = [](graph::CopyOp made, std::vector<std::string> excluded) {
    made.excluded = std::move(excluded);
    return made;
  };
  EXPECT_EQ(copy(without(op({"src"}, "/a"), {"src/*.c", "src/empty"})), "");
  EXPECT_THAT(tree("a"), ElementsAre("sub", "sub/c.h", "sub/up"));
  EXPECT_EQ(copy(without(op({"."}, "/b"), {"*", "!src/sub/c.h"})), "");
  EXPECT_THAT(tree("b"), ElementsAre("src", "src/sub", "src/sub/c.h")) << "with the directories that it is in";
  EXPECT_EQ(copy(without(op({"s*", "src/sub"}, "/c/"), {"src", "!src/a.c"})),
            "\"src/sub\" is left out by the context's .dockerignore\nhint: bring it back there: a line with \"!\" and "
            "its path");
  EXPECT_EQ(copy(without(op({"src/*"}, "/d/"), {"**/*.c"})), "");
  EXPECT_THAT(tree("d"), ElementsAre("c.h", "up"));
  EXPECT_EQ(copy(without(op({"to-a"}, "/e"), {"src/a.c"})),
            "\"to-a\" is left out by the context's .dockerignore\nhint: bring it back there: a line with \"!\" and its "
            "path");
  auto optional = without(op({"src/a.c"}, "/f"), {"src"});
  optional.if_exists = true;
  EXPECT_EQ(copy(optional), "");

  // A change of what is left out is none.
  const auto wanted = without(op({"src"}, "/a"), {"src/*.c"});
  const auto before = *selection_digest(wanted, ContextTree(context));
  context.entries[1] = file("src/a.c", "changed");
  EXPECT_EQ(*selection_digest(wanted, ContextTree(context)), before);
  context.entries[3] = file("src/sub/c.h", "changed");
  EXPECT_NE(*selection_digest(wanted, ContextTree(context)), before);
}

TEST_F(ContextCopy, files_go_into_directories_or_get_the_name) {
  EXPECT_EQ(copy(op({"src/a.c"}, "/deep/er/renamed.c")), "");
  EXPECT_EQ(copy(op({"src/a.c"}, "/existing")), "");
  EXPECT_EQ(copy(op({"src/a.c"}, "/slash/")), "");
  EXPECT_EQ(copy(op({"src/a.c", "Earthfile"}, "/two")), "");
  EXPECT_EQ(copy(op({"src/a.c"}, "/")), "");
  EXPECT_EQ(test::slurp(directory / "root/deep/er/renamed.c"), "a");
  for (const char* path : {"existing/a.c", "slash/a.c", "two/a.c", "two/Earthfile", "a.c"}) {
    EXPECT_TRUE(fs::exists(directory / "root" / path)) << path;
  }
}

TEST_F(ContextCopy, two_sources_are_several_even_when_only_one_is_there) {
  auto optional = op({"src/a.c", "nothing"}, "/place");
  optional.if_exists = true;
  EXPECT_EQ(copy(optional), "");
  EXPECT_TRUE(fs::exists(directory / "root/place/a.c"));
}

TEST_F(ContextCopy, patterns_stop_at_slashes) {
  EXPECT_EQ(copy(op({"src/*.c"}, "/c/")), "");
  EXPECT_THAT(tree("c"), ElementsAre("a.c", "b.c"));
  EXPECT_EQ(copy(op({"*/s?[a-c]"}, "/d/")), "") << "a directory that matches gives its contents";
  EXPECT_THAT(tree("d"), ElementsAre("c.h", "up"));
  EXPECT_EQ(copy(op({"**/c.h"}, "/e/")),
            "\"**/c.h\" is not in the project directory\nhint: check the path, or let it "
            "be missing with COPY --if-exists")
      << "`**` is no more than `*`";
  EXPECT_EQ(copy(op({"**/sub"}, "/e/")), "");
}

TEST_F(ContextCopy, the_whole_context) {
  EXPECT_EQ(copy(op({"."}, "/all")), "");
  EXPECT_THAT(tree("all"), ElementsAre("Earthfile", "src", "src/a.c", "src/b.c", "src/empty", "src/sub", "src/sub/c.h",
                                       "src/sub/up", "to-a", "to-src"));
}

TEST_F(ContextCopy, links_are_followed_where_they_are_named_and_kept_where_they_are_found) {
  EXPECT_EQ(copy(op({"to-a"}, "/file/")), "");
  EXPECT_EQ(test::slurp(directory / "root/file/to-a"), "a");
  EXPECT_FALSE(fs::is_symlink(directory / "root/file/to-a"));
  EXPECT_EQ(copy(op({"to-src"}, "/dir")), "");
  EXPECT_TRUE(fs::exists(directory / "root/dir/sub/c.h"));
  EXPECT_EQ(copy(op({"to-src/sub/up"}, "/through/")), "") << "also on the way";
  EXPECT_EQ(test::slurp(directory / "root/through/up"), "a");
  auto kept = op({"to-a"}, "/kept/");
  kept.symlink_no_follow = true;
  EXPECT_EQ(copy(kept), "");
  EXPECT_EQ(fs::read_symlink(directory / "root/kept/to-a"), "src/a.c");
}

TEST_F(ContextCopy, times_owners_and_modes) {
  context.entries.push_back(file("tool", "#!", 04755));
  EXPECT_EQ(copy(op({"tool"}, "/plain/tool")), "");
  EXPECT_EQ(status("plain/tool").st_mode & 07777U, 04755U);
  EXPECT_EQ(status("plain/tool").st_mtim.tv_sec, kCopyTimeSeconds);
  EXPECT_EQ(status("plain").st_mtim.tv_sec, kCopyTimeSeconds) << "a directory that COPY made";
  EXPECT_EQ(status("plain").st_mode & 07777U, 0755U);

  directory.file("root/etc/passwd", "app:x:1000:1001::/:\n");
  auto special = op({"src"}, "/made/special");
  special.chown = "app";
  special.keep_ts = true;
  EXPECT_EQ(copy(special), "");
  for (const char* path : {"made", "made/special", "made/special/a.c", "made/special/sub/up"}) {
    EXPECT_EQ(status(path).st_uid, 1000U) << path;
    EXPECT_EQ(status(path).st_gid, 1001U) << path;
  }
  EXPECT_EQ(status("made/special/a.c").st_mtim.tv_sec, 1'600'000'000);
  EXPECT_EQ(status("made/special/a.c").st_mtim.tv_nsec, 5);
  EXPECT_EQ(status("made/special/empty").st_mode & 07777U, 0750U);

  auto modes = op({"src"}, "/modes");
  modes.chmod = 0700;
  EXPECT_EQ(copy(modes), "");
  EXPECT_EQ(status("modes/a.c").st_mode & 07777U, 0700U);
  EXPECT_EQ(status("modes/sub").st_mode & 07777U, 0700U);
  EXPECT_EQ(status("modes").st_mode & 07777U, 0700U);
}

TEST_F(ContextCopy, times_before_1970_are_times) {
  context.entries[0].mtime_ns = -1;
  auto old = op({"Earthfile"}, "/old");
  old.keep_ts = true;
  EXPECT_EQ(copy(old), "");
  EXPECT_EQ(status("old").st_mtim.tv_sec, -1);
  EXPECT_EQ(status("old").st_mtim.tv_nsec, 999'999'999);
}

TEST_F(ContextCopy, a_directory_that_was_there_keeps_its_attributes) {
  fs::permissions(directory / "root/existing", static_cast<fs::perms>(01777));
  EXPECT_EQ(copy(op({"src"}, "/existing")), "");
  EXPECT_EQ(status("existing").st_mode & 07777U, 01777U);
}

TEST_F(ContextCopy, what_is_missing_is_said_with_its_neighbours) {
  EXPECT_EQ(copy(op({"src/a.cc"}, "/x")),
            "\"src/a.cc\" is not in the project directory\nhint: did you mean \"src/a.c\" or \"src/b.c\"?");
  EXPECT_EQ(copy(op({"scr/a.c"}, "/x")), "\"scr/a.c\" is not in the project directory\nhint: did you mean \"src\"?");
  EXPECT_EQ(copy(op({"c.h"}, "/x")), "\"c.h\" is not in the project directory\nhint: there is \"src/sub/c.h\"");
  context.entries.push_back(file(".earthlyignore", "*.iso"));
  EXPECT_EQ(copy(op({"some-installer.iso"}, "/x")),
            "\"some-installer.iso\" is not in the project directory\n  the project's .earthlyignore may leave it out\n"
            "hint: check the path, or let it be missing with COPY --if-exists");
  context.entries.pop_back();
  context.entries.push_back(link("dangling", "gone"));
  EXPECT_EQ(
      copy(op({"dangling"}, "/x")),
      "\"dangling\" is a symlink to \"gone\", which is not in the project directory\nhint: check the path, or let "
      "it be missing with COPY --if-exists");
  context.entries.push_back(link("round", "round"));
  EXPECT_THAT(copy(op({"round"}, "/x")),
              testing::StartsWith("\"round\" is a symlink to \"round\", which leads back to it\n"));
  auto optional = op({"nothing", "no*"}, "/x/");
  optional.if_exists = true;
  EXPECT_EQ(copy(optional), "");
  EXPECT_FALSE(fs::exists(directory / "root/x"));
}

TEST_F(ContextCopy, what_cannot_be_replaced_is_said) {
  fs::create_directories(directory / "root/d/a.c");
  EXPECT_EQ(
      copy(op({"src/a.c"}, "/d/")),
      "COPY: /d/a.c is a directory, and what is copied there is none\nhint: write the destination with a slash at "
      "its end to copy into it");
  directory.file("root/f", "x");
  EXPECT_EQ(copy(op({"src"}, "/f")),
            "COPY: /f is there and is no directory\nhint: remove it first, or give COPY another destination");
  auto nobody = op({"src"}, "/g");
  nobody.chown = "nobody";
  EXPECT_EQ(copy(nobody), "the image has no user \"nobody\"\nhint: add it in a RUN, or take a number");
}

TEST_F(ContextCopy, files_replace_links_and_never_write_through_them) {
  directory.file("root/lib.so.1", "old");
  fs::create_symlink("lib.so.1", directory / "root/lib.so");
  EXPECT_EQ(copy(op({"src/a.c"}, "/lib.so")), "");
  EXPECT_EQ(test::slurp(directory / "root/lib.so.1"), "old");
  EXPECT_FALSE(fs::is_symlink(directory / "root/lib.so"));
}

TEST_F(ContextCopy, links_of_the_image_lead_nowhere_else) {
  fs::create_directory(directory / "outside");
  ASSERT_EQ(chmod((directory / "outside").c_str(), 0700), 0);
  const std::string outside = directory / "outside";
  fs::create_symlink(outside, directory / "root/absolute");
  fs::create_symlink("../outside", directory / "root/relative");
  fs::create_symlink(outside, directory / "root/existing/sub");
  EXPECT_EQ(copy(op({"src/a.c"}, "/absolute/a.c")), "");
  EXPECT_EQ(copy(op({"src"}, "/relative")), "");
  auto with_mode = op({"src"}, "/existing");
  with_mode.chmod = 0777;
  EXPECT_EQ(copy(with_mode), "");
  EXPECT_TRUE(fs::is_empty(outside));
  struct stat result {};
  ASSERT_EQ(stat(outside.c_str(), &result), 0);
  EXPECT_EQ(result.st_mode & 07777U, 0700U) << "neither its files nor its mode are reached";
  EXPECT_TRUE(fs::exists(directory / ("root" + outside + "/a.c"))) << "a link means what it means in a chroot";
}

TEST_F(ContextCopy, large_files_are_whole) {
  std::string large;
  for (int i = 0; i < 400'000; ++i) large += std::to_string(i);
  context.entries.push_back(file("large", large));
  EXPECT_EQ(copy(op({"large"}, "/large")), "");
  EXPECT_EQ(test::slurp(directory / "root/large"), large);
  std::error_code error;
  if (!fs::exists("/dev/shm", error)) return;
  // Another file system, where the kernel cannot copy by itself.
  auto elsewhere = *sys::TempDir::create("/dev/shm", "ingot-test-");
  ASSERT_TRUE(
      copy_from_context(op({"large"}, "/large"), ContextTree(context), blobs, *sys::RootedDir::open(elsewhere.path())));
  EXPECT_EQ(test::slurp(elsewhere.path() / "large"), large);
}

}  // namespace
}  // namespace ingot::store
