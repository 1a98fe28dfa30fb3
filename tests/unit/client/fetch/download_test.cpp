#include "client/fetch/download.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "daemon/base/digest.h"
#include "tests/unit/client/fake_daemon.h"

namespace ingot::client {
namespace {

namespace fs = std::filesystem;

std::string large_text() {
  std::string text;
  for (int i = 0; text.size() < 1'500'000; ++i) text += std::to_string(i) + "\n";
  return text;
}

// Serves one artifact with ranges.
class DownloadTest : public testing::Test {
 protected:
  test::TempDirectory directory;
  std::string content = large_text();
  proto::Artifact artifact;
  fs::path destination = directory / "a b.iso";
  std::size_t cut_first = std::string::npos;  // the first answer breaks off there
  FakeDaemon fake{[this](const FakeRequest& request) { return answer(request); }};
  Daemon daemon{fake.socket()};

  void SetUp() override {
    artifact.id = "1";
    artifact.name = "a b.iso";
    artifact.digest = base::Digest::of(content).str();
    artifact.size = content.size();
    artifact.mode = 0755;
  }
  FakeAnswer answer(const FakeRequest& request) {
    FakeAnswer answer{200, content};
    auto range = request.headers.find("range");
    if (range != request.headers.end() && request.headers.at("if-range") == "\"" + artifact.digest + "\"") {
      answer.status = 206;
      answer.body = content.substr(std::stoul(range->second.substr(6)));
    }
    answer.cut = std::exchange(cut_first, std::string::npos);
    return answer;
  }
  Status fetch() { return download_file(daemon, "j", artifact, destination, {}); }
  std::string error() {
    auto fetched = fetch();
    return fetched ? "no error" : proto::render(fetched.error());
  }
};

TEST_F(DownloadTest, writes_the_file_whole_and_leaves_nothing_else) {
  ASSERT_EQ(error(), "no error");
  EXPECT_EQ(test::slurp(destination), content);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST_F(DownloadTest, a_large_file_that_replaces_another_is_whole_and_who_has_the_old_one_open_keeps_it) {
  const std::string old(40 << 20, 'o');
  directory.file("a b.iso", old);
  std::ifstream reader(destination);
  while (content.size() < 33U << 20) content += content;
  artifact.digest = base::Digest::of(content).str();
  artifact.size = content.size();
  ASSERT_EQ(error(), "no error");
  EXPECT_TRUE(test::slurp(destination) == content);
  const std::string kept((std::istreambuf_iterator<char>(reader)), std::istreambuf_iterator<char>());
  EXPECT_TRUE(kept == old);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST_F(DownloadTest, the_mode_is_the_artifacts_as_the_umask_allows) {
  const mode_t before = umask(027);
  EXPECT_EQ(error(), "no error");
  artifact.mode = 0444;
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(destination.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0750U);
  EXPECT_EQ(status.st_uid, geteuid());
}

TEST_F(DownloadTest, an_empty_file_is_a_file) {
  content.clear();
  SetUp();
  ASSERT_EQ(error(), "no error");
  EXPECT_TRUE(fs::exists(destination));
  EXPECT_EQ(fs::file_size(destination), 0U);
}

TEST_F(DownloadTest, goes_on_where_an_earlier_run_broke_off) {
  directory.file(part_file(destination).filename(), content.substr(0, 1'000'000));
  ASSERT_EQ(error(), "no error");
  EXPECT_EQ(test::slurp(destination), content);
  ASSERT_EQ(fake.requests().size(), 1U);
  EXPECT_EQ(fake.requests().front().headers.at("range"), "bytes=1000000-");
}

TEST_F(DownloadTest, goes_on_where_a_connection_broke) {
  cut_first = 700'000;
  std::vector<std::uint64_t> told;
  ASSERT_TRUE(download_file(daemon, "j", artifact, destination,
                            [&](std::uint64_t done, std::uint64_t) { told.push_back(done); }));
  EXPECT_EQ(test::slurp(destination), content);
  const auto requests = fake.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_FALSE(requests[0].headers.contains("range"));
  EXPECT_GT(std::stoul(requests[1].headers.at("range").substr(6)), 600'000U);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), content.size());
}

TEST_F(DownloadTest, a_whole_part_is_not_asked_for) {
  directory.file(part_file(destination).filename(), content);
  ASSERT_EQ(error(), "no error");
  EXPECT_TRUE(fake.requests().empty());
}

TEST_F(DownloadTest, a_part_of_other_bytes_is_fetched_anew) {
  for (const std::string& other : {std::string(1'000'000, 'x'), content + "more", std::string(content.size(), 'x')}) {
    directory.file(part_file(destination).filename(), other);
    ASSERT_EQ(error(), "no error");
    EXPECT_EQ(test::slurp(destination), content);
  }
}

TEST_F(DownloadTest, a_wrong_digest_never_gets_the_name) {
  artifact.digest = base::Digest::of("other").str();
  directory.file("a b.iso", "what was there");
  EXPECT_EQ(error(), "artifact a b.iso arrived with other bytes: " + base::Digest::of(content).str() + ", not " +
                         artifact.digest + "\nhint: fetch it again; if it stays, the daemon's disk is damaged");
  EXPECT_EQ(test::slurp(destination), "what was there");
  EXPECT_FALSE(fs::exists(part_file(destination)));
}

TEST_F(DownloadTest, two_at_once_do_not_write_to_one_part) {
  sys::UniqueFd other(open(part_file(destination).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(flock(other.get(), LOCK_EX), 0);
  auto fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, ErrorKind::conflict);
  EXPECT_EQ(proto::render(fetched.error()), "another process fetches to " + part_file(destination).string() +
                                                " at this moment\nhint: wait for it, or name another file");
}

TEST_F(DownloadTest, follows_no_link_that_waits_in_the_place_of_the_part) {
  const auto victim = directory.file("victim", "precious");
  ASSERT_EQ(symlink(victim.c_str(), part_file(destination).c_str()), 0);
  EXPECT_FALSE(fetch());
  EXPECT_EQ(test::slurp(victim), "precious");
}

TEST_F(DownloadTest, a_name_as_long_as_a_name_may_be_has_a_part_too) {
  destination = directory / std::string(255, 'n');
  EXPECT_EQ(error(), "no error");
  EXPECT_EQ(test::slurp(destination), content);
}

TEST_F(DownloadTest, a_full_disk_is_told) {
  auto streamed = download_stream(daemon, "j", artifact, sys::UniqueFd(open("/dev/full", O_WRONLY | O_CLOEXEC)).get());
  ASSERT_FALSE(streamed);
  EXPECT_EQ(streamed.error().kind, ErrorKind::no_space);
}

TEST_F(DownloadTest, streams_to_what_cannot_be_sought) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  std::string received;
  std::thread reader([&] {
    char bytes[65536];
    for (ssize_t got = 0; (got = read(ends[0], bytes, sizeof bytes)) > 0;)
      received.append(bytes, static_cast<std::size_t>(got));
  });
  auto streamed = download_stream(daemon, "j", artifact, ends[1]);
  close(ends[1]);
  reader.join();
  close(ends[0]);
  EXPECT_TRUE(streamed);
  EXPECT_EQ(received, content);
}

}  // namespace
}  // namespace ingot::client
