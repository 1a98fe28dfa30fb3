#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "client/transport/daemon.h"
#include "daemon/base/digest.h"
#include "daemon/sys/files.h"
#include "tests/support/test_daemon.h"

// Files that come to the daemon as open descriptors.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Uploads : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace();
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(temporary_files(), 0U);
    EXPECT_EQ(daemon->leftovers(), "");
  }
  std::size_t temporary_files() const {
    const auto listed = fs::directory_iterator(daemon->state() / "blobs/tmp");
    return static_cast<std::size_t>(std::distance(listed, fs::directory_iterator()));
  }
  // How many descriptors of the daemon are this file.
  std::size_t open_in_daemon(const fs::path& file) const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(daemon->pid()) + "/fd")) {
      std::error_code gone;
      if (fs::read_symlink(entry.path(), gone) == file) ++count;
    }
    return count;
  }
  static bool soon(const std::function<bool()>& is_so) {
    for (int i = 0; i < 2000; ++i) {
      if (is_so()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  fs::path large_file(std::uint64_t size) const {
    const auto file = directory.file("large", "");
    EXPECT_EQ(truncate(file.c_str(), static_cast<off_t>(size)), 0);
    return file;
  }

  TempDirectory directory;
  std::optional<TestDaemon> daemon;
};

TEST_F(Uploads, a_project_arrives_whole_whatever_its_files_sizes_are) {
  EXPECT_THAT(daemon->curl({"-d", R"({"entries":[]})", "http://ingot/v1/contexts"}).out,
              HasSubstr("\"takes_descriptors\":true"));
  std::string earthfile =
      "VERSION 0.8\nall:\n    FROM tiny\n    COPY . /p\n    WORKDIR /p\n    RUN sha256sum f* > sums\n";
  daemon->project_file("Earthfile", earthfile + "    SAVE ARTIFACT sums AS LOCAL sums\n");
  std::string sums;
  for (const std::size_t size : {0, 1, 4095, 262'144, 262'145, 9'000'000}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 4096) text[i] = static_cast<char>('a' + i / 4096 % 26);
    const std::string name = "f" + std::to_string(1'000'000'000 + size);
    daemon->project_file(name, text);
    sums += base::Digest::of(text).hex() + "  " + name + "\n";
  }
  const auto built = daemon->ingot({"build", "+all"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_EQ(slurp(daemon->project() / "sums"), sums);
}

TEST_F(Uploads, equal_files_that_come_at_once_are_copied_once) {
  constexpr std::uint64_t kSize = 200U << 20;
  const auto large = large_file(kSize);
  const std::string digest = base::Digest::of(std::string(kSize, '\0')).str();
  std::atomic<int> kept = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      const auto file = *sys::open_file(large, O_RDONLY);
      client::Daemon own(daemon->socket());
      auto passed = own.pass_blob(digest, file.get(), kSize);
      EXPECT_TRUE(passed) << proto::render(passed.error());
      ++kept;
    });
  }
  std::size_t most = 0;
  soon([&] {
    most = std::max(most, temporary_files());
    return kept == 8;
  });
  for (auto& client : clients) client.join();
  EXPECT_EQ(most, 1U);
  // The answer may arrive before the daemon has closed what it was handed.
  EXPECT_TRUE(soon([&] { return open_in_daemon(large) == 0; }));
}

TEST_F(Uploads, what_is_no_file_is_refused_and_the_connection_goes_on) {
  client::Daemon client(daemon->socket());
  const auto digest = base::Digest::of("text").str();
  int ends[2] = {};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const sys::UniqueFd read_end(ends[0]);
  const sys::UniqueFd write_end(ends[1]);
  auto passed = client.pass_blob(digest, read_end.get(), 4);
  ASSERT_FALSE(passed);
  EXPECT_EQ(passed.error().kind, ErrorKind::invalid);
  EXPECT_EQ(passed.error().message, "the descriptor is not that of a regular file");
  const auto file = *sys::open_file(directory.file("f", "text"), O_RDONLY);
  EXPECT_TRUE(client.pass_blob(digest, file.get(), 4));
  EXPECT_EQ(slurp(daemon->state() / "blobs" / digest.substr(7, 2) / digest.substr(7)), "text");
  const auto answer = daemon->curl({"-X", "PUT", "-H", "Ingot-Descriptor: 4", "http://ingot/v1/blobs/" + digest});
  EXPECT_THAT(answer.out, HasSubstr("no descriptor came with the request"));
}

TEST_F(Uploads, a_client_that_is_killed_half_way_leaves_nothing) {
  constexpr std::uint64_t kSize = 8ULL << 30;
  const auto large = large_file(kSize);
  const pid_t child = fork();
  if (child == 0) {
    const auto file = *sys::open_file(large, O_RDONLY);
    client::Daemon own(daemon->socket());
    (void)own.pass_blob(base::Digest::of("x").str(), file.get(), kSize);
    _exit(0);
  }
  EXPECT_TRUE(soon([&] { return temporary_files() == 1; }));
  EXPECT_EQ(open_in_daemon(large), 1U);
  ::kill(child, SIGKILL);
  const auto begin = std::chrono::steady_clock::now();
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(soon([&] { return temporary_files() == 0 && open_in_daemon(large) == 0; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2)) << "eight gigabytes take longer";
}

}  // namespace
}  // namespace ingot::test
