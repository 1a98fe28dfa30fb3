#include "daemon/sys/file_bytes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

class FileBytes : public testing::Test {
 protected:
  UniqueFd open(const std::string& name, int flags) { return *open_file(directory / name, flags); }
  test::TempDirectory directory;
};

TEST_F(FileBytes, copies_from_where_the_source_stands_to_where_the_target_stands) {
  const std::string text = std::string(20'000'000, 'x') + "end";
  directory.file("from", text);
  directory.file("to", "head ");
  auto from = open("from", O_RDONLY);
  auto to = open("to", O_WRONLY);
  lseek(from.get(), 10, SEEK_SET);
  lseek(to.get(), 5, SEEK_SET);
  std::uint64_t told = 0;
  int parts = 0;
  ASSERT_TRUE(copy_bytes(from.get(), to.get(), "copying", [&](std::uint64_t bytes) { told += bytes, ++parts; }));
  EXPECT_TRUE(test::slurp(directory / "to") == "head " + text.substr(10));
  EXPECT_EQ(told, text.size() - 10);
  EXPECT_GT(parts, 1) << "a large file is told of in parts";
}

TEST_F(FileBytes, copies_what_the_kernel_cannot_copy_by_itself) {
  // Files of procfs say that they have no bytes.
  auto to = open(directory.file("to", "").filename(), O_WRONLY);
  ASSERT_TRUE(copy_bytes(open_file("/proc/self/status", O_RDONLY)->get(), to.get(), "copying"));
  EXPECT_NE(test::slurp(directory / "to").find("Threads:"), std::string::npos);
  // A pipe takes no copy_file_range.
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  directory.file("from", "by way of a pipe");
  ASSERT_TRUE(copy_bytes(open("from", O_RDONLY).get(), write_end.get(), "copying"));
  write_end.reset();
  std::string got;
  ASSERT_TRUE(read_bytes(read_end.get(), "reading", [&](std::string_view bytes) -> Status {
    got += bytes;
    return {};
  }));
  EXPECT_EQ(got, "by way of a pipe");
}

TEST_F(FileBytes, errors_say_what_was_tried) {
  directory.file("from", "text");
  auto full = open_file("/dev/full", O_WRONLY);
  auto copied = copy_bytes(open("from", O_RDONLY).get(), full->get(), "cannot write the artifact");
  ASSERT_FALSE(copied);
  EXPECT_NE(proto::render(copied.error()).find("cannot write the artifact"), std::string::npos);
  auto refused = read_bytes(open("from", O_WRONLY).get(), "cannot read it", [](std::string_view) { return Status{}; });
  EXPECT_FALSE(refused);
}

}  // namespace
}  // namespace ingot::sys
