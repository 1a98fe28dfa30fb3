#include "client/fetch/local_artifacts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/digest.h"
#include "tests/unit/client/fake_daemon.h"
#include "tests/unit/client/fetch/tar_text.h"

namespace ingot::client {
namespace {

namespace fs = std::filesystem;

class LocalArtifacts : public testing::Test {
 protected:
  test::TempDirectory directory;
  fs::path project = directory / "project";
  std::string content = "new";
  FakeDaemon fake{[this](const FakeRequest&) { return FakeAnswer{200, content}; }};
  Daemon daemon{fake.socket()};

  void SetUp() override { fs::create_directories(project); }
  std::string fetch(const std::string& local_path, const std::string& media_type = "text/plain") {
    proto::Artifact artifact;
    artifact.id = "1";
    artifact.name = "thing";
    artifact.local_path = local_path;
    artifact.digest = base::Digest::of(content).str();
    artifact.size = content.size();
    artifact.media_type = media_type;
    artifact.mode = media_type == proto::kDirectoryMediaType ? 0755 : 0644;
    auto done = fetch_into_project(daemon, "j", artifact, project, {});
    return done ? "no error" : proto::render(done.error());
  }
  std::string fetch_directory(const std::string& local_path) {
    content = tar_entry("sub/", '5', "", "", 0755) + tar_entry("sub/x", '0', "new") + tar_end();
    return fetch(local_path, proto::kDirectoryMediaType);
  }
  // Every path below the project, leftovers included.
  std::string tree() const {
    std::string list;
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(project)) {
      names.push_back(fs::relative(entry.path(), project).string());
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) list += (list.empty() ? "" : " ") + name;
    return list;
  }
};

TEST_F(LocalArtifacts, a_file_lands_in_its_place_and_replaces_what_was_there) {
  directory.file("project/out/a", "old");
  ASSERT_EQ(fetch("./out/a"), "no error");
  EXPECT_EQ(test::slurp(project / "out/a"), "new");
  ASSERT_EQ(fetch("deep/er/b"), "no error");
  ASSERT_EQ(fetch("..name"), "no error");
  EXPECT_EQ(tree(), "..name deep deep/er deep/er/b out out/a");
}

TEST_F(LocalArtifacts, new_directories_are_as_the_umask_allows) {
  const mode_t before = umask(077);
  const std::string done = fetch("d/a");
  umask(before);
  ASSERT_EQ(done, "no error");
  struct stat status {};
  ASSERT_EQ(stat((project / "d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(LocalArtifacts, nothing_lands_outside) {
  const std::string outside = "\", which is outside of the project";
  EXPECT_EQ(fetch("../x"), "artifact thing asks for the place \"../x" + outside);
  EXPECT_EQ(fetch("a/../../x"), "artifact thing asks for the place \"a/../../x" + outside);
  EXPECT_EQ(fetch("/x\n"), "artifact thing asks for the place \"/x\\x0a" + outside);
  const std::string itself =
      "artifact thing asks for the place of the project directory itself\n"
      "hint: write AS LOCAL with a name, such as AS LOCAL build/";
  for (const char* path : {"", ".", "./", "a/.."}) EXPECT_EQ(fetch(path), itself) << path;
  EXPECT_TRUE(fake.requests().empty());
}

TEST_F(LocalArtifacts, nothing_lands_where_git_looks) {
  fs::create_directories(project / ".git/hooks");
  for (const char* path : {".git/hooks/post-checkout", ".GIT/config", "lib/.git", "x/../.git/x"}) {
    EXPECT_EQ(fetch(path), "artifact thing asks for the place \"" + std::string(path) +
                               "\", which lies in a .git directory\nhint: git runs what lies there, so nothing is put "
                               "there; `ingot get -o DIR` fetches it to another place");
  }
  // As an earlier artifact may have brought it.
  fs::create_directories(project / "d");
  fs::create_symlink("../.git/hooks", project / "d/x");
  EXPECT_NE(fetch("d/x/post-checkout").find("which lies in a .git directory"), std::string::npos);
  EXPECT_NE(fetch_directory("d/x/dir").find("which lies in a .git directory"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(project / ".git/hooks"));
}

TEST_F(LocalArtifacts, a_project_may_lie_below_a_git_directory) {
  project = directory / "x/.git/project";
  fs::create_directories(project);
  EXPECT_EQ(fetch("out/a"), "no error");
}

TEST_F(LocalArtifacts, no_link_leads_out) {
  fs::create_directories(directory / "elsewhere");
  ASSERT_EQ(symlink("../elsewhere", (project / "out").c_str()), 0);
  EXPECT_EQ(fetch("out/x").substr(0, 7), "\"./out\"");
  EXPECT_NE(fetch("out/x").find("leads out of"), std::string::npos);
  EXPECT_NE(fetch_directory("out/d").find("leads out of"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(directory / "elsewhere"));
  // A link in the very place is replaced, not followed.
  directory.file("elsewhere/victim", "precious");
  ASSERT_EQ(symlink("../elsewhere/victim", (project / "link").c_str()), 0);
  content = "new";
  EXPECT_EQ(fetch("link"), "no error");
  EXPECT_EQ(test::slurp(directory / "elsewhere/victim"), "precious");
  EXPECT_EQ(test::slurp(project / "link"), "new");
}

TEST_F(LocalArtifacts, a_link_that_stays_inside_is_followed) {
  fs::create_directories(project / "real");
  ASSERT_EQ(symlink("real", (project / "alias").c_str()), 0);
  EXPECT_EQ(fetch("alias/x"), "no error");
  EXPECT_EQ(test::slurp(project / "real/x"), "new");
}

TEST_F(LocalArtifacts, a_file_does_not_take_the_place_of_a_directory) {
  directory.file("project/d/keep", "");
  EXPECT_EQ(fetch("d"), (project / "d").string() +
                            " is a directory, and the artifact is a file\n"
                            "hint: remove it, or write AS LOCAL with a trailing slash");
  EXPECT_EQ(tree(), "d d/keep");
}

TEST_F(LocalArtifacts, a_directory_replaces_what_was_there) {
  EXPECT_EQ(fetch_directory("out"), "no error");
  EXPECT_EQ(tree(), "out out/sub out/sub/x");
  directory.file("project/out/old", "");
  EXPECT_EQ(fetch_directory("out/"), "no error");
  EXPECT_EQ(tree(), "out out/sub out/sub/x");
  fs::remove_all(project / "out");
  directory.file("project/out", "a file");
  EXPECT_EQ(fetch_directory("out"), "no error");
  EXPECT_EQ(tree(), "out out/sub out/sub/x");
}

TEST_F(LocalArtifacts, a_directory_that_cannot_be_unpacked_changes_nothing) {
  directory.file("project/out/old", "");
  content = tar_entry("ok", '0', "x") + tar_entry("../evil", '0', "x") + tar_end();
  EXPECT_EQ(fetch("out", proto::kDirectoryMediaType), "cannot unpack \"../evil\": it leads out");
  EXPECT_EQ(tree(), "out out/old");
}

TEST_F(LocalArtifacts, errors_name_the_place_as_the_user_knows_it) {
  if (geteuid() == 0) GTEST_SKIP() << "root writes everywhere";
  fs::create_directories(project / "locked");
  ASSERT_EQ(chmod((project / "locked").c_str(), 0555), 0);
  EXPECT_NE(fetch("locked/a").find("cannot open " + (project / "locked").string()), std::string::npos)
      << fetch("locked/a");
}

}  // namespace
}  // namespace ingot::client
