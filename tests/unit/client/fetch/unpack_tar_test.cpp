#include "client/fetch/unpack_tar.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstring>

#include "tests/support/temp.h"
#include "tests/unit/client/fetch/tar_text.h"

namespace ingot::client {

std::string tar_entry(const std::string& name, char type, const std::string& content, const std::string& link,
                      unsigned mode) {
  std::string head(512, '\0');
  auto put = [&](std::size_t at, const std::string& text) { std::memcpy(head.data() + at, text.data(), text.size()); };
  char number[13];
  put(0, name);
  std::snprintf(number, sizeof number, "%07o", mode);
  put(100, number);
  put(108, "0001750");
  put(116, "0001750");
  std::snprintf(number, sizeof number, "%011zo", content.size());
  put(124, number);
  put(136, "11145401322");  // 1234567890
  put(148, "        ");
  head[156] = type;
  put(157, link);
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (unsigned char c : head) sum += c;
  std::snprintf(number, sizeof number, "%06o", sum);
  put(148, std::string(number) + '\0' + ' ');
  std::string padded = content;
  padded.resize((content.size() + 511) / 512 * 512, '\0');
  return head + padded;
}

std::string tar_end() {
  return std::string(1024, '\0');
}

namespace {

namespace fs = std::filesystem;

class UnpackTar : public testing::Test {
 protected:
  test::TempDirectory directory;
  fs::path out = directory / "out";

  std::string unpack(const std::string& entries) {
    auto done = unpack_tar(directory.file("a.tar", entries + tar_end()), out);
    return done ? "no error" : proto::render(done.error());
  }
  unsigned mode_of(const std::string& name) {
    struct stat status {};
    EXPECT_EQ(lstat((out / name).c_str(), &status), 0) << name;
    return status.st_mode & 07777U;
  }
};

TEST_F(UnpackTar, files_directories_and_links_arrive) {
  ASSERT_EQ(unpack(tar_entry("./", '5', "", "", 0755) + tar_entry("d/", '5', "", "", 0755) +
                   tar_entry("d/a file", '0', "hello") + tar_entry("d/hard", '1', "", "d/a file") +
                   tar_entry("d/soft", '2', "", "a file") + tar_entry("absolute", '2', "", "/etc/passwd")),
            "no error");
  EXPECT_EQ(test::slurp(out / "d/a file"), "hello");
  EXPECT_EQ(fs::hard_link_count(out / "d/a file"), 2U);
  EXPECT_EQ(fs::read_symlink(out / "d/soft"), "a file");
  EXPECT_EQ(fs::read_symlink(out / "absolute"), "/etc/passwd");
  struct stat status {};
  ASSERT_EQ(stat((out / "d/a file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 1234567890);
  EXPECT_EQ(status.st_uid, geteuid()) << "what is unpacked belongs to the caller";
}

TEST_F(UnpackTar, modes_are_as_the_umask_allows_and_never_set_ids) {
  const mode_t before = umask(027);
  const std::string done = unpack(tar_entry("x", '0', "", "", 06777) + tar_entry("d/", '5', "", "", 0777));
  umask(before);
  ASSERT_EQ(done, "no error");
  EXPECT_EQ(mode_of("x"), 0750U);
  EXPECT_EQ(mode_of("d"), 0750U);
}

TEST_F(UnpackTar, names_in_utf8_need_no_locale) {
  ASSERT_STREQ(std::setlocale(LC_ALL, nullptr), "C");
  // As pax headers too, which libarchive converts.
  const std::string record =
      "24 path=gr\xc3\xbc\xc3\x9f"
      "e/\xe6\xbc\xa2\xe5\xad\x97\n";
  const std::string pax = std::to_string(record.size()) + record.substr(2);
  ASSERT_EQ(unpack(tar_entry("k\xc3\xbche", '0', "1") + tar_entry("pax", 'x', pax) + tar_entry("short", '0', "2")),
            "no error");
  EXPECT_EQ(test::slurp(out / "k\xc3\xbche"), "1");
  EXPECT_EQ(test::slurp(out / "gr\xc3\xbc\xc3\x9f"
                              "e/\xe6\xbc\xa2\xe5\xad\x97"),
            "2");
}

TEST_F(UnpackTar, what_leads_out_is_refused) {
  EXPECT_EQ(unpack(tar_entry("../x", '0', "evil")), "cannot unpack \"../x\": it leads out");
  EXPECT_EQ(unpack(tar_entry("a/../../x", '0', "evil")), "cannot unpack \"a/../../x\": it leads out");
  EXPECT_EQ(unpack(tar_entry("/x", '0', "evil")), "cannot unpack \"/x\": it is absolute");
  EXPECT_EQ(unpack(tar_entry("h", '1', "", "../x")), "cannot unpack \"../x\": it leads out");
  EXPECT_FALSE(fs::exists(directory / "x"));
}

TEST_F(UnpackTar, a_link_is_no_way_out) {
  fs::create_directories(directory / "elsewhere");
  unpack(tar_entry("l", '2', "", "../elsewhere") + tar_entry("l/x", '0', "evil"));
  EXPECT_TRUE(fs::is_empty(directory / "elsewhere"));
  directory.file("victim", "precious");
  unpack(tar_entry("v", '2', "", "../victim") + tar_entry("v", '0', "evil"));
  EXPECT_EQ(test::slurp(directory / "victim"), "precious");
}

TEST_F(UnpackTar, devices_and_pipes_are_refused) {
  for (char type : {'3', '4', '6'}) {
    EXPECT_EQ(unpack(tar_entry("dev\n", type, "")), "cannot unpack \"dev\\x0a\": it is no file, directory or link");
    EXPECT_FALSE(fs::exists(fs::symlink_status(out / "dev\n")));
  }
}

TEST_F(UnpackTar, a_damaged_archive_is_an_error) {
  const auto cut = directory.file("cut.tar", tar_entry("x", '0', std::string(2000, 'x')).substr(0, 1024));
  auto done = unpack_tar(cut, out);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("cannot read "), std::string::npos) << done.error().message;
}

}  // namespace
}  // namespace ingot::client
