#include "daemon/base/url_credentials.h"

#include <gtest/gtest.h>

namespace ingot::base {
namespace {

TEST(UrlCredentials, are_taken_out_of_texts) {
  EXPECT_EQ(without_credentials("https://u:p@h/x"), "https://h/x");
  EXPECT_EQ(without_credentials("see https://token@h/x and HTTP://a@b/c."), "see https://h/x and HTTP://b/c.");
  EXPECT_EQ(without_credentials("GIT CLONE --branch v1 \"https://u:p@ss@h/x\" y@z"),
            "GIT CLONE --branch v1 \"https://h/x\" y@z");
  EXPECT_EQ(without_credentials("https://u:p/w#1@h/x y@z"), "https://h/x y@z") << "what should have been encoded";
  EXPECT_EQ(without_credentials("ssh://git:p@h/x, postgres://u:p@ss@h/d"), "ssh://git@h/x, postgres://u@h/d");
  for (const char* same : {"", "https://h/x@y", "https://h:8080/x@y", "https://h:/x@y", "ssh://git@h/x", "git@h:x",
                           "://", "https://", "a@b", "https://h x@y", "https://$HOST:$PORT/x@1"}) {
    EXPECT_EQ(without_credentials(std::string_view(same)), same);
  }
}

TEST(UrlCredentials, are_taken_out_of_errors) {
  Error error{ErrorKind::invalid, "at https://u:p@h", "try https://u:p@h", {}, {"in https://u:p@h"}};
  error.position = Position{"Earthfile", 1, 12, "GIT CLONE https://u:p@h x"};
  const std::string shown = proto::render(without_credentials(error));
  EXPECT_EQ(shown.find("u:p"), std::string::npos) << shown;
  EXPECT_NE(shown.find("GIT CLONE https://h x"), std::string::npos) << shown;
}

}  // namespace
}  // namespace ingot::base
