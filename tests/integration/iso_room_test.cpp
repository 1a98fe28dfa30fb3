#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/source_directory.h"
#include "tests/support/test_daemon.h"

// How user-data gets into an ISO that was made before it: the scripts of edge-templates, with the host's xorriso.
namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class IsoRoom : public testing::Test {
 protected:
  void SetUp() override {
    directory.file("tree/boot/efi.img", std::string(1U << 20U, 'e'));
    directory.file("tree/rootfs.squashfs", "a system");
  }
  static RunResult script(const std::string& name, const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {source_directory() / "edge-templates/project/edge" / name};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run_program(argv);
  }
  void make_iso(const std::string& maker = "uki/make-iso") const {
    const auto left = script("iso/leave-room", {tree(), directory / "default"});
    ASSERT_EQ(left.code, 0) << left.err;
    const auto made = script(maker, {tree(), iso()});
    ASSERT_EQ(made.code, 0) << made.err;
  }
  RunResult put(const std::string& text) const {
    return script("iso/put-user-data", {iso(), directory.file("user-data", text)});
  }
  // As who reads the ISO finds it, by the names of Rock Ridge or by those of Joliet.
  std::string read(const std::string& file, bool by_joliet) const {
    const fs::path out = directory / "out";
    fs::remove(out);
    std::vector<std::string> argv = {"xorriso"};
    if (by_joliet) argv.insert(argv.end(), {"-read_fs", "norock"});
    argv.insert(argv.end(), {"-osirrox", "on", "-indev", iso(), "-extract", file, out});
    const auto extracted = run_program(argv);
    EXPECT_EQ(extracted.code, 0) << extracted.err;
    return slurp(out);
  }
  fs::path tree() const { return directory / "tree"; }
  fs::path iso() const { return directory / "x.iso"; }

  TempDirectory directory;
};

TEST_F(IsoRoom, user_data_is_what_every_reader_finds) {
  make_iso();
  const auto size = fs::file_size(iso());
  const std::string long_text = "#cloud-config\n" + std::string(100'000, '#') + "\n";
  const std::string short_text = "#cloud-config\nstages: {}\n";
  for (const auto& text : {long_text, short_text}) {
    const fs::path blank = directory / "blank.iso";
    if (!fs::exists(blank)) fs::copy_file(iso(), blank);
    fs::copy_file(blank, iso(), fs::copy_options::overwrite_existing);
    const auto done = put(text);
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(read("/config.yaml", false), text);
    EXPECT_EQ(read("/config.yaml", true), text);
    EXPECT_EQ(read("/rootfs.squashfs", false), "a system");
    EXPECT_EQ(fs::file_size(iso()), size);
  }
}

// A USB stick with it may be mounted as a whole or by its partition, which begins 16 blocks later and has directories
// of its own.
TEST_F(IsoRoom, a_stick_has_it_in_its_partition_too) {
  for (const char* part : {"boot/grub2/eltorito.img", "boot/grub2/boot_hybrid.img", "boot/grub2/efi.img"})
    directory.file(std::string("tree/") + part, std::string(1U << 20U, 'b'));
  make_iso("iso/make-iso");
  const std::string text = "#cloud-config\nstages: {}\n";
  const auto done = put(text);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(read("/config.yaml", false), text);
  const std::string whole = slurp(iso());
  directory.file("x.iso", whole.substr(16UL * 2048));
  EXPECT_EQ(read("/config.yaml", false), text);
  EXPECT_EQ(read("/config.yaml", true), text);
}

TEST_F(IsoRoom, is_for_as_much_as_user_data_may_have) {
  make_iso();
  EXPECT_EQ(put(std::string(1U << 20U, 'x')).code, 0);
  EXPECT_EQ(read("/config.yaml", true).size(), 1U << 20U);
}

TEST_F(IsoRoom, what_does_not_fit_is_refused) {
  make_iso();
  const auto refused = put(std::string((1U << 20U) + 1, 'x'));
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("has 1048577 bytes, and the ISO has room for 1048576"));
}

TEST_F(IsoRoom, an_iso_without_it_is_told) {
  ASSERT_EQ(script("uki/make-iso", {tree(), iso()}).code, 0);
  EXPECT_THAT(put("x").err, HasSubstr("has no room for user-data"));
}

TEST_F(IsoRoom, what_the_tree_has_counts_where_there_is_no_user_data) {
  directory.file("tree/config.yaml", "#cloud-config\nof: the tree\n");
  make_iso();
  EXPECT_EQ(slurp(directory / "default"), "#cloud-config\nof: the tree\n");
  fs::remove(tree() / "config.yaml");
  make_iso();
  EXPECT_EQ(slurp(directory / "default"), "#cloud-config\n");
}

}  // namespace
}  // namespace ingot::test
