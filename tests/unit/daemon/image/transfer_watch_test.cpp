#include "daemon/image/transfer_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/sys/process.h"
#include "tests/support/temp.h"

namespace ingot::image {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kMegabyte = 1U << 20;

TEST(TransferWatch, tells_which_files_a_program_reads_and_how_far_it_is) {
  test::TempDirectory directory;
  for (const char* name : {"d/large", "d/small", "d/untouched", "d/config"}) {
    directory.file(name, std::string(name == std::string("d/large") ? 4 * kMegabyte : 10, 'x'));
  }
  std::vector<std::string> lines;
  TransferWatch watch(directory / "d", {{"large", 4 * kMegabyte}, {"small", 10}, {"untouched", 10}},
                      [&](const std::string& line) { lines.push_back(line); });
  sys::Command command;
  command.argv = {
      "sh", "-c",
      "cat config >&2; exec 3<large; dd bs=1M count=3 <&3 >&2; sleep 2.5; cat <&3 >&2; exec 3<&-; sleep 0.2; "
      "cat small >&2"};
  command.directory = directory / "d";
  auto ran = sys::system_processes().run(command, [](sys::Stream, std::string_view) {}, {});
  ASSERT_TRUE(ran && ran->ok());
  EXPECT_EQ(watch.stop(), 4 * kMegabyte + 10);
  ASSERT_EQ(lines.size(), 5U) << testing::PrintToString(lines);
  EXPECT_EQ(lines[0].substr(0, 20), "sending layer large,");
  EXPECT_EQ(lines[1].substr(0, 6), "sent 3") << lines[1];
  EXPECT_EQ(lines[2].substr(0, 6), "sent 4") << lines[2];
  EXPECT_EQ(lines[3].substr(0, 20), "sending layer small,");
  EXPECT_EQ(watch.stop(), 4 * kMegabyte + 10) << "once more changes nothing";
}

TEST(TransferWatch, a_directory_that_is_not_there_only_tells_nothing) {
  TransferWatch watch("/nowhere", {{"a", 1}}, [](const std::string&) { FAIL(); });
  EXPECT_EQ(watch.stop(), 0U);
}

}  // namespace
}  // namespace ingot::image
