#include "daemon/base/strings.h"

#include <gtest/gtest.h>

#include "daemon/base/digest.h"
#include "daemon/base/glob.h"

namespace ingot::base {
namespace {

TEST(Nearest, finds_what_a_person_meant) {
  EXPECT_EQ(did_you_mean("K8s_VERSION", {"K8S_VERSION", "CUSTOM_TAG"}), "did you mean \"K8S_VERSION\"?");
  EXPECT_EQ(did_you_mean("biuld", {"build", "test"}), "did you mean \"build\"?") << "swapped neighbours are one slip";
  EXPECT_EQ(did_you_mean("zzz", {"build", "test"}), "");
  EXPECT_EQ(did_you_mean("x", {"t", "u", "xs"}), "") << "all single letters are one slip apart";
  EXPECT_EQ(nearest("tst", {"rest", "test", "tests", "test"}), (std::vector<std::string>{"test"}));
}

TEST(Glob, stars_stop_at_slashes) {
  EXPECT_TRUE(glob_match("*.txt", "a.txt"));
  EXPECT_FALSE(glob_match("*.txt", "d/a.txt"));
  EXPECT_TRUE(glob_match("d/*/x?", "d/e/x1"));
  EXPECT_TRUE(glob_match("[a-c]*", "bill"));
  EXPECT_FALSE(glob_match("[^a-c]*", "bill"));
  EXPECT_FALSE(glob_match("[a", "a")) << "a class that is never closed matches nothing";
  EXPECT_TRUE(glob_match("\\*", "*"));
  EXPECT_FALSE(glob_match("a*b*c", "aXbX"));
  EXPECT_TRUE(glob_match("*a*a*a*a*b", std::string(40, 'a') + "b"));
}

TEST(Units, sizes_and_durations_read_and_write) {
  EXPECT_EQ(*parse_bytes("64M"), 64U << 20);
  EXPECT_EQ(*parse_bytes("1.5GiB"), 1610612736U);
  EXPECT_FALSE(parse_bytes("10X"));
  EXPECT_FALSE(parse_bytes("99999999P"));
  EXPECT_EQ(parse_bytes("").error().message, "\"\" is not a size");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_DOUBLE_EQ(*parse_duration("1h30m"), 5400);
  EXPECT_DOUBLE_EQ(*parse_duration("500ms"), 0.5);
  EXPECT_FALSE(parse_duration("5 parsecs"));
  EXPECT_EQ(human_duration(185), "3m05s");
}

TEST(Utf8, tells_text_from_bytes) {
  EXPECT_TRUE(is_valid_utf8("ünï \xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_valid_utf8("\xff"));
  EXPECT_FALSE(is_valid_utf8("\xc0\x80")) << "overlong";
  EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80")) << "a surrogate";
  EXPECT_EQ(valid_utf8_prefix("ab\xc3"), 2U);
}

TEST(Printable, leaves_no_control_characters) {
  EXPECT_EQ(printable("a\x1b[31m\tb\n"), "a\\x1b[31m\tb\\x0a");
}

TEST(Digest, is_sha256_in_one_notation) {
  EXPECT_EQ(Digest::of("").str(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_TRUE(Digest::parse(Digest::of("x").str()));
  EXPECT_FALSE(Digest::parse("sha256:abc"));
  EXPECT_FALSE(Digest::parse("sha256:" + std::string(64, 'A')));
  Hasher parts;
  parts.update("he");
  parts.update("llo");
  EXPECT_EQ(parts.finish(), Digest::of("hello"));
}

TEST(RandomId, has_its_length_and_no_look_alikes) {
  const std::string id = random_id(64);
  EXPECT_EQ(id.size(), 64U);
  EXPECT_EQ(id.find_first_of("lo01"), std::string::npos);
  EXPECT_NE(id, random_id(64));
}

}  // namespace
}  // namespace ingot::base
