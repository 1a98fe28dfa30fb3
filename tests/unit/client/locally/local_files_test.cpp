#include "client/locally/local_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/support/temp.h"

// Files go into a tar and out of it again.
namespace ingot::client {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LocalFiles : public testing::Test {
 protected:
  Status pack(const std::string& source, bool if_exists = false) {
    std::string bytes;
    auto packed = pack_local(here.path(), source, if_exists,
                             [&](std::string_view part) -> Status {
                               bytes += part;
                               return {};
                             },
                             {});
    tar = scratch.file("tar", bytes);
    return packed;
  }
  // What is below a directory, with the content of files and the targets of links.
  static std::vector<std::string> tree(const fs::path& directory) {
    std::vector<std::string> all;
    if (!fs::exists(directory)) return all;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      const std::string name = entry.path().lexically_relative(directory).string();
      if (entry.is_symlink())
        all.push_back(name + " -> " + fs::read_symlink(entry.path()).string());
      else
        all.push_back(entry.is_directory() ? name + "/" : name + " " + test::slurp(entry.path()));
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  Status place(const std::string& destination, bool dir = false) {
    return place_local(there.path(), tar, destination, dir);
  }

  test::TempDirectory here;
  test::TempDirectory there;
  test::TempDirectory scratch;
  fs::path tar;
};

TEST_F(LocalFiles, a_path_keeps_its_name_as_it_is_seen_from_the_directory) {
  here.file("out/deep/f", "f");
  here.file("beside", "b");
  ASSERT_TRUE(pack("./out/../out/deep"));
  ASSERT_TRUE(place("x/"));
  EXPECT_THAT(tree(there.path()), ElementsAre("x/", "x/deep/", "x/deep/f f")) << "--dir is not asked for";
}

TEST_F(LocalFiles, globs_match_part_by_part_and_names_with_a_dot_too) {
  here.file("a1/x.txt", "1");
  here.file("a2/x.txt", "2");
  here.file("a2/y.md", "y");
  here.file("b/x.txt", "b");
  here.file("a1/.x.txt", "dot");
  ASSERT_TRUE(pack("a*/*.txt"));
  ASSERT_TRUE(place(".", true));
  EXPECT_THAT(tree(there.path()), ElementsAre("a1/", "a1/.x.txt dot", "a1/x.txt 1", "a2/", "a2/x.txt 2"));
}

TEST_F(LocalFiles, a_path_from_the_root_on_keeps_all_of_it) {
  here.file("f", "f");
  const std::string absolute = (here / "f").string();
  ASSERT_TRUE(pack(absolute));
  ASSERT_TRUE(place("x", false));
  EXPECT_EQ(test::slurp(there / ("x/" + absolute.substr(absolute.find('/', 1) + 1))), "f");
}

TEST_F(LocalFiles, links_stay_links_but_for_what_was_named_itself) {
  here.file("d/f", "f");
  fs::create_symlink("f", here / "d/link");
  fs::create_symlink("/nowhere", here / "d/lost");
  fs::create_symlink("d/f", here / "named");
  ASSERT_TRUE(pack("*"));
  ASSERT_TRUE(place(".", true));
  EXPECT_THAT(tree(there.path()), ElementsAre("d/", "d/f f", "d/link -> f", "d/lost -> /nowhere", "named f"));
}

TEST_F(LocalFiles, modes_and_strange_names_come_through) {
  here.file("d/n\xc3\xa4me with spaces", "1");
  here.file("d/bad\xff", "2");
  fs::create_directory(here / "d/empty");
  chmod((here / "d/bad\xff").c_str(), 0755);
  ASSERT_TRUE(pack("d"));
  ASSERT_TRUE(place("."));
  EXPECT_EQ(test::slurp(there / "d/n\xc3\xa4me with spaces"), "") << "the contents of d, not d itself";
  EXPECT_EQ(test::slurp(there / "n\xc3\xa4me with spaces"), "1");
  EXPECT_EQ(test::slurp(there / "bad\xff"), "2");
  EXPECT_TRUE(fs::is_directory(there / "empty"));
  EXPECT_EQ(access((there / "bad\xff").c_str(), X_OK), 0);
}

TEST_F(LocalFiles, large_files_are_whole) {
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + "\n";
  here.file("large", text);
  here.file("empty", "");
  ASSERT_TRUE(pack("*"));
  ASSERT_TRUE(place("into/"));
  EXPECT_EQ(test::slurp(there / "into/large"), text);
  EXPECT_EQ(test::slurp(there / "into/empty"), "");
}

TEST_F(LocalFiles, what_is_not_there_is_an_error_unless_it_may_be) {
  const auto packed = pack("absent*");
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().kind, ErrorKind::not_found);
  EXPECT_THAT(packed.error().message, HasSubstr("there is no absent* in "));
  EXPECT_TRUE(pack("absent*", true));
  EXPECT_TRUE(place("x"));
  EXPECT_THAT(tree(there.path()), IsEmpty());
}

TEST_F(LocalFiles, what_is_no_file_is_refused) {
  mkfifo((here / "pipe").c_str(), 0600);
  const auto packed = pack("pipe");
  ASSERT_FALSE(packed);
  EXPECT_THAT(packed.error().message, HasSubstr("pipe is no file, directory or link"));
}

TEST_F(LocalFiles, who_takes_nothing_ends_it) {
  here.file("f", std::string(1 << 20, 'x'));
  const auto packed = pack_local(here.path(), "f", false,
                                 [](std::string_view) -> Status { return base::fail(ErrorKind::canceled, "no"); }, {});
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().kind, ErrorKind::canceled);
}

TEST_F(LocalFiles, a_file_goes_to_a_name_or_into_a_directory) {
  here.file("f", "new");
  ASSERT_TRUE(pack("f"));
  ASSERT_TRUE(place("name"));
  ASSERT_TRUE(place("deep/er/name"));
  ASSERT_TRUE(place("slash/"));
  there.file("is/old", "old");
  ASSERT_TRUE(place("is"));
  there.file("f", "before");
  ASSERT_TRUE(place("f"));
  EXPECT_THAT(tree(there.path()), ElementsAre("deep/", "deep/er/", "deep/er/name new", "f new", "is/", "is/f new",
                                              "is/old old", "name new", "slash/", "slash/f new"));
}

TEST_F(LocalFiles, a_directory_comes_as_its_contents_or_as_itself) {
  here.file("d/a/f", "new");
  ASSERT_TRUE(pack("d"));
  there.file("there/a/old", "old");
  ASSERT_TRUE(place("there"));
  EXPECT_THAT(tree(there / "there"), ElementsAre("a/", "a/f new", "a/old old")) << "what is there stays";
  ASSERT_TRUE(place("renamed", true));
  EXPECT_THAT(tree(there / "renamed"), ElementsAre("a/", "a/f new"));
  ASSERT_TRUE(place("renamed", true));
  EXPECT_THAT(tree(there / "renamed"), ElementsAre("a/", "a/f new", "d/", "d/a/", "d/a/f new"));
}

TEST_F(LocalFiles, a_directory_and_a_file_do_not_take_each_others_place) {
  here.file("x/f", "new");
  ASSERT_TRUE(pack("x"));
  there.file("f/inner", "old");
  const auto placed = place(".");
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().kind, ErrorKind::conflict);
  EXPECT_THAT(tree(there.path()), ElementsAre("f/", "f/inner old")) << "and nothing else is left";
}

TEST_F(LocalFiles, files_on_their_way_lie_where_the_destination_is) {
  fs::create_directories(there / "a/b");
  EXPECT_EQ(directory_near(there.path(), "a/b/c/d"), there / "a/b");
  EXPECT_EQ(directory_near(there.path(), "a/b"), there / "a/b");
  EXPECT_EQ(directory_near(there.path(), "/"), "/");
}

// An artifact that was put there before has a link, and the next one a directory of its name.
TEST_F(LocalFiles, a_link_below_the_destination_leads_nowhere) {
  test::TempDirectory elsewhere;
  elsewhere.file("keys", "mine");
  fs::create_directory(here / "a");
  fs::create_symlink(elsewhere.path(), here / "a/x");
  here.file("b/x/keys", "theirs");
  ASSERT_TRUE(pack("a"));
  ASSERT_TRUE(place("out/"));
  ASSERT_TRUE(pack("b"));
  const auto placed = place("out/");
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().kind, ErrorKind::conflict);
  EXPECT_THAT(placed.error().message, HasSubstr("out/x is a link, and what is to be there is a directory"));
  EXPECT_THAT(tree(elsewhere.path()), ElementsAre("keys mine"));
}

TEST_F(LocalFiles, a_link_at_the_top_of_the_destination_leads_nowhere_either) {
  test::TempDirectory elsewhere;
  here.file("x/f", "f");
  there.file("plain/x", "a file");
  fs::create_symlink(elsewhere.path(), there / "x");
  ASSERT_TRUE(pack("x"));
  EXPECT_FALSE(place(".", true)) << "x of the destination is a link";
  EXPECT_THAT(tree(elsewhere.path()), IsEmpty());
  const auto over_file = place("plain", true);
  ASSERT_FALSE(over_file);
  EXPECT_THAT(over_file.error().message, HasSubstr("plain/x is no directory"));
}

TEST_F(LocalFiles, a_link_in_the_way_of_a_file_is_replaced) {
  there.file("kept", "mine");
  fs::create_symlink("kept", there / "f");
  here.file("d/f", "new");
  ASSERT_TRUE(pack("d"));
  ASSERT_TRUE(place("."));
  EXPECT_THAT(tree(there.path()), ElementsAre("f new", "kept mine"));
}

TEST_F(LocalFiles, a_destination_may_itself_be_a_link) {
  test::TempDirectory elsewhere;
  fs::create_symlink(elsewhere.path(), there / "out");
  here.file("d/f", "f");
  ASSERT_TRUE(pack("d"));
  ASSERT_TRUE(place("out"));
  EXPECT_THAT(tree(elsewhere.path()), ElementsAre("f f"));
}

}  // namespace
}  // namespace ingot::client
