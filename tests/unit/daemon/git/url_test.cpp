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
