#include "client/context/scan.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "daemon/base/digest.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

namespace fs = std::filesystem;
using proto::EntryType;

class ScanTest : public testing::Test {
 protected:
  test::TempDirectory directory;
  fs::path project = directory / "project";
  fs::path cache_file = directory / "cache/hashes";

  void SetUp() override { fs::create_directories(project); }
  void file(const std::string& name, const std::string& text = "text") { directory.file("project/" + name, text); }

  std::map<std::string, proto::ManifestEntry> scan() {
    HashCache cache(cache_file);
    auto manifest = scan_project(project, cache);
    EXPECT_TRUE(manifest) << proto::render(manifest.error());
    std::map<std::string, proto::ManifestEntry> entries;
    if (!manifest) return entries;
    for (const auto& entry : manifest->entries) EXPECT_TRUE(entries.emplace(entry.path, entry).second) << entry.path;
    return entries;
  }
  std::string names() {
    std::string list;
    for (const auto& [path, entry] : scan()) list += (list.empty() ? "" : " ") + path;
    return list;
  }
  std::string error() {
    HashCache cache(cache_file);
    auto manifest = scan_project(project, cache);
    return manifest ? "no error" : proto::render(manifest.error());
  }
};

TEST_F(ScanTest, lists_files_links_and_directories_as_they_are) {
  file("a", "hello");
  file("sub/run me", "#!/bin/sh\n");
  file("grüße/漢字", "");
  fs::create_directories(project / "empty");
  ASSERT_EQ(symlink("../a", (project / "sub/link").c_str()), 0);
  ASSERT_EQ(symlink("nowhere", (project / "dangling").c_str()), 0);
  ASSERT_EQ(chmod((project / "sub/run me").c_str(), 04751), 0);
  ASSERT_EQ(chmod((project / "empty").c_str(), 0700), 0);
  const timespec times[2] = {{5, 6}, {1234567890, 123456789}};
  ASSERT_EQ(utimensat(AT_FDCWD, (project / "a").c_str(), times, 0), 0);

  auto entries = scan();
  ASSERT_EQ(entries.size(), 8U);
  EXPECT_EQ(entries["a"].type, EntryType::file);
  EXPECT_EQ(entries["a"].size, 5U);
  EXPECT_EQ(entries["a"].digest, base::Digest::of("hello").str());
  EXPECT_EQ(entries["a"].mtime_ns, 1234567890'123456789);
  EXPECT_EQ(entries["sub/run me"].mode, 04751U);
  EXPECT_EQ(entries["grüße/漢字"].digest, base::Digest::of("").str());
  EXPECT_EQ(entries["empty"].type, EntryType::directory);
  EXPECT_EQ(entries["empty"].mode, 0700U);
  EXPECT_EQ(entries["sub/link"].type, EntryType::symlink);
  EXPECT_EQ(entries["sub/link"].link_target, "../a");
  EXPECT_EQ(entries["sub/link"].mode, 0777U);
  EXPECT_EQ(entries["dangling"].link_target, "nowhere");
}

TEST_F(ScanTest, hashes_many_files_right_on_many_threads) {
  for (int i = 0; i < 200; ++i) file("f" + std::to_string(i), "text " + std::to_string(i));
  auto entries = scan();
  ASSERT_EQ(entries.size(), 200U);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(entries["f" + std::to_string(i)].digest, base::Digest::of("text " + std::to_string(i)).str());
  }
}

TEST_F(ScanTest, leaves_out_what_the_rules_name_and_nothing_else) {
  file(".earthlyignore", "build\n**/*.iso\n!keep.iso\n");
  for (const char* name : {"Earthfile", "build/x", "a.iso", "keep.iso", "d/b.iso", ".git/HEAD", "d/c"}) file(name);
  EXPECT_EQ(names(), ".earthlyignore .git .git/HEAD Earthfile d d/c keep.iso");
}

TEST_F(ScanTest, the_recipe_comes_along_whatever_the_rules_say) {
  file(".earthlyignore", "*\n!src/keep\n");
  for (const char* name : {"Earthfile", "other", "src/keep/x", "src/lost", "sub/Earthfile"}) file(name);
  fs::create_directories(project / "src/keep/empty");
  EXPECT_EQ(names(), "Earthfile src/keep src/keep/empty src/keep/x");
}

TEST_F(ScanTest, what_an_interrupted_fetch_left_is_not_sent) {
  for (const char* name : {".a.iso.ingot-part", ".ingot-new-abc.ingot-tar", ".ingot-new-abc/x", "a.ingot-part"})
    file(name);
  EXPECT_EQ(names(), "a.ingot-part");
}

TEST_F(ScanTest, a_file_of_the_wrong_name_for_the_rules_is_an_error) {
  file(".earthignore", "");
  EXPECT_EQ(error(), "there is a file .earthignore in " + fs::canonical(project).string() +
                         "\nhint: rename it to .earthlyignore");
}

TEST_F(ScanTest, refuses_what_cannot_travel_by_its_path) {
  const std::string hint = "\nhint: remove it, or list it in .earthlyignore";
  ASSERT_EQ(mkfifo((project / "pi\npe").c_str(), 0600), 0);
  EXPECT_EQ(error(), "cannot send \"pi\\x0ape\": it is a pipe" + hint);
  fs::remove(project / "pi\npe");

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  fs::create_directories(project / "d");
  std::strncpy(address.sun_path, (project / "d/s").c_str(), sizeof address.sun_path - 1);
  sys::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(error(), "cannot send \"d/s\": it is a socket" + hint);
  file(".earthlyignore", "d/s\n");
  EXPECT_EQ(error(), "no error");

  file("caf\xe9");
  EXPECT_EQ(error().substr(0, 13), "cannot send \"");
  EXPECT_NE(error().find("its name is no UTF-8"), std::string::npos);
  fs::remove(project / "caf\xe9");
  ASSERT_EQ(symlink("\xff", (project / "l").c_str()), 0);
  EXPECT_EQ(error(), "cannot send \"l\": it is a symlink to a name that is no UTF-8" + hint);
}

TEST_F(ScanTest, names_the_file_that_cannot_be_read) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  file("secret");
  ASSERT_EQ(chmod((project / "secret").c_str(), 0), 0);
  EXPECT_NE(error().find("project/secret: Permission denied"), std::string::npos) << error();
}

TEST_F(ScanTest, reads_a_known_file_no_second_time) {
  file("a", "first");
  const timespec old[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (project / "a").c_str(), old, 0), 0);
  struct stat status {};
  ASSERT_EQ(stat((project / "a").c_str(), &status), 0);
  const std::string planted = "sha256:" + std::string(64, 'c');
  HashCache cache(cache_file);
  cache.remember(status, {status.st_ctim.tv_sec + 5, 0}, planted);
  auto manifest = scan_project(project, cache);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->entries.front().digest, planted);
  // The same by another name of the directory.
  ASSERT_EQ(symlink("project", (directory / "alias").c_str()), 0);
  manifest = scan_project(directory / "alias", cache);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->entries.front().digest, planted);
}

TEST_F(ScanTest, a_project_that_is_not_there_is_named) {
  HashCache cache(cache_file);
  auto manifest = scan_project(directory / "none", cache);
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().kind, ErrorKind::not_found);
  EXPECT_EQ(manifest.error().message,
            "cannot use the directory " + (directory / "none").string() + ": No such file or directory");
}

TEST_F(ScanTest, files_of_secrets_are_left_out_whatever_they_are_called) {
  for (const char* name : {".secret", "sub/.secret", "key", "kept", "other/.secret/kept"}) file(name, name);
  file(".earthlyignore", "!.secret\n!key\n");
  ASSERT_EQ(link((project / "key").c_str(), (project / "another-name").c_str()), 0);
  ASSERT_EQ(symlink("key", (project / "named").c_str()), 0);
  HashCache cache(cache_file);
  auto manifest = scan_project(project, cache, {project / "named", project / "none"});
  ASSERT_TRUE(manifest);
  std::vector<std::string> sent;
  for (const auto& entry : manifest->entries) {
    if (entry.type != proto::EntryType::directory) sent.push_back(entry.path);
  }
  EXPECT_EQ(sent, (std::vector<std::string>{".earthlyignore", "kept", "other/.secret/kept"}));
}

}  // namespace
}  // namespace ingot::client
