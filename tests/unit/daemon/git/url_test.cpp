#include "daemon/git/url.h"

#include <gtest/gtest.h>

namespace ingot::git {
namespace {

TEST(Url, is_taken_apart) {
  const auto url = parse_url("https://me:secret@host.example:8443/org/repo.git").value();
  EXPECT_EQ(url.host, "host.example:8443");
  EXPECT_EQ(url.path, "org/repo.git");
  EXPECT_EQ(url.credentials, "me:secret");
  EXPECT_EQ(url.text(), "https://host.example:8443/org/repo.git") << "nobody sees the credentials again";
  EXPECT_EQ(url.name(), "host.example:8443/org/repo");
  const auto ssh = parse_url("git@host.example:org/repo.git").value();
  EXPECT_EQ(ssh.protocol, "ssh");
  EXPECT_EQ(ssh.text(), "git@host.example:org/repo.git");
  EXPECT_EQ(ssh.name(), "host.example/org/repo");
  EXPECT_EQ(parse_url("ssh://git@host/org/repo").value().text(), "ssh://git@host/org/repo");
}

TEST(Url, what_git_would_take_for_something_else_is_refused) {
  for (const char* bad :
       {"ext::sh -c touch% /tmp/x", "file:///etc", "/etc", "../other", "--upload-pack=touch x",
        "https://-oProxyCommand=x/org/repo", "https:///org/repo", "https://host/", "https://host/org/../../etc",
        "https://host/-x/repo", "https://host/a b", "https://host/a\nb", "https://host/a\"b", "-u@host:org/repo",
        "git@-host:org/repo", "host:org/repo", "", "https://", "ssh://-x@host/repo"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

TEST(Url, an_error_does_not_show_credentials) {
  const auto refused = parse_url("https://me:secret@host/a b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find("secret"), std::string::npos) << refused.error().message;
}

TEST(Url, a_host_has_the_form_of_one) {
  for (const char* good : {"host", "host.example:8443", "10.0.0.1", "[fd00::7]", "[::1]:8443", "my_host-1.x"}) {
    EXPECT_TRUE(parse_url("https://" + std::string(good) + "/org/repo.git")) << good;
    EXPECT_TRUE(check_path(std::string(good) + "/org/repo")) << good;
  }
  for (const char* bad : {".", "..", "a..b", "-", "_", "-x", ":80", "host:", "host:x", "host:80:80", "[", "[]", "]",
                          "[::1", "[host]", "fd00::7", "ho[st]", "h,o"}) {
    EXPECT_FALSE(parse_url("https://" + std::string(bad) + "/org/repo.git")) << bad;
    EXPECT_FALSE(check_path(std::string(bad) + "/org/repo")) << bad;
  }
}

// Somebody forgot to percent-encode it.
TEST(Url, a_password_with_a_slash_is_not_taken_for_a_host_and_not_shown) {
  for (const char* url :
       {"https://bob:s3cr/et@localhost.invalid/org/repo.git", "http://bob:1234/s3cret@host/org/repo.git",
        "https://bob:s@3cr/et@host/org/repo", "git://bob:s3c/r@h/o/r"}) {
    const auto refused = parse_url(url);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
    const std::string told = refused.error().message + refused.error().hint;
    for (const char* part : {"s3c", "3cr", "et@", "1234", "bob"}) {
      EXPECT_EQ(told.find(part), std::string::npos) << url << ": " << told;
    }
  }
  EXPECT_EQ(parse_url("https://bob:s3cr%2Fet@host/org/repo.git").value().credentials, "bob:s3cr%2Fet");
  EXPECT_TRUE(parse_url("https://host/@scope/repo.git")) << "nothing there could be a password";
}

TEST(Ref, names_and_nothing_else) {
  for (const char* good :
       {"main", "v1.2.3", "feature/x", "release-1", "0123456789abcdef0123456789abcdef01234567", "a+b", "$(x)"}) {
    EXPECT_TRUE(check_ref(good)) << good;
  }
  for (const char* bad :
       {"", "-x", "--upload-pack=x", "a b", "a..b", "a:b", "a~1", "a^{}", "a\nb", "@{1}", "a@{1}", "x*", "/x", "x/"}) {
    EXPECT_FALSE(check_ref(bad)) << bad;
  }
  EXPECT_TRUE(is_whole_commit(std::string(40, 'a')));
  EXPECT_FALSE(is_whole_commit(std::string(39, 'a')));
  EXPECT_FALSE(is_whole_commit(std::string(40, 'g')));
}

}  // namespace
}  // namespace ingot::git
