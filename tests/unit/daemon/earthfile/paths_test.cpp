#include "daemon/earthfile/paths.h"

#include <gtest/gtest.h>

namespace ingot::earthfile {
namespace {

TEST(Paths, absolute) {
  EXPECT_EQ(absolute("/work", "a/b"), "/work/a/b");
  EXPECT_EQ(absolute("/work", "/a"), "/a");
  EXPECT_EQ(absolute("/", "a/"), "/a");
  EXPECT_EQ(absolute("/work", "."), "/work");
  EXPECT_EQ(absolute("/work", ""), "/work");
  EXPECT_EQ(absolute("/work", "../../../x"), "/x");
  EXPECT_EQ(absolute("/work", "//x"), "/x");
  EXPECT_EQ(absolute("/", "/."), "/");
}

TEST(Paths, means_directory) {
  for (const char* path : {"", ".", "..", "a/", "a/.", "a/..", "/"}) EXPECT_TRUE(means_directory(path)) << path;
  for (const char* path : {"a", ".a", "a/b", "a..", "/a"}) EXPECT_FALSE(means_directory(path)) << path;
}

TEST(Paths, leaves_project) {
  for (const char* path : {"..", "../a", "a/../../b", "./.."}) EXPECT_TRUE(leaves_project(path)) << path;
  for (const char* path : {"", ".", "a", "..a", "a/..", "a/../b", "/a", "/../a"})
    EXPECT_FALSE(leaves_project(path)) << path;
}

TEST(Paths, base_name) {
  EXPECT_EQ(base_name("/a/b"), "b");
  EXPECT_EQ(base_name("a"), "a");
  EXPECT_EQ(base_name("/"), "");
}

}  // namespace
}  // namespace ingot::earthfile
