#include "proto/base64.h"

#include <gtest/gtest.h>

namespace ingot::proto {
namespace {

TEST(Base64, comes_back) {
  for (std::size_t length = 0; length < 70; ++length) {
    std::string bytes;
    for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(i * 37 + length);
    EXPECT_EQ(*base64_decode(base64_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64_encode(std::string("\xff\x00\x01", 3)), "/wAB");
  EXPECT_EQ(base64_encode(""), "");
}

TEST(Base64, refuses_what_it_is_not) {
  for (const char* text : {"abc", "a$c=", "====", "a===", "=abc", "ab=c", "    ", "\n\n\n\n", " QUI", "QUI\n",
                           "QU==QU==", "QUI=\n\n\n\n", "\xff\xff\xff\xff"}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
  EXPECT_FALSE(base64_decode(std::string_view("AA\0A", 4)));
  EXPECT_EQ(base64_decode("a===").error().message, "the text is not base64");
}

}  // namespace
}  // namespace ingot::proto
