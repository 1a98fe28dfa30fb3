#include "daemon/git/rules.h"

#include <gtest/gtest.h>

namespace ingot::git {
namespace {

TEST(Rules, a_reference_is_a_repository_and_a_directory_in_it) {
  const auto found = locate(default_rules(), "github.com/org/repo/sub/dir").value();
  EXPECT_EQ(found.name, "github.com/org/repo");
  EXPECT_EQ(found.directory, "sub/dir");
  EXPECT_EQ(found.fetched, "https://github.com/org/repo.git");
  EXPECT_EQ(found.named.text(), "https://github.com/org/repo.git");
  EXPECT_TRUE(found.takes_credentials);
  EXPECT_EQ(locate(default_rules(), "github.com/org/repo").value().directory, "");
  EXPECT_EQ(locate(default_rules(), "github.com/org").error().kind, ErrorKind::not_found);
}

TEST(Rules, the_first_that_fits_says_where_it_is_and_how_long_its_name_is) {
  const std::vector<Rule> rules = {{"gitlab.example/deep/*/*", "", "/ca", false},
                                   {"github.com/org/*", "https://mirror.example/{host}/{path}.git", "", false},
                                   {"*/*/*", "", "", false}};
  const auto deep = locate(rules, "gitlab.example/deep/group/repo/dir").value();
  EXPECT_EQ(deep.name, "gitlab.example/deep/group/repo");
  EXPECT_EQ(deep.directory, "dir");
  EXPECT_EQ(deep.ca_file, "/ca");
  const auto mirrored = locate(rules, "github.com/org/repo").value();
  EXPECT_EQ(mirrored.fetched, "https://mirror.example/github.com/org/repo.git");
  EXPECT_EQ(mirrored.named.text(), "https://github.com/org/repo.git") << "what a recipe says stays what it is";
  EXPECT_FALSE(mirrored.takes_credentials) << "those for github.com are not the mirror's";
  EXPECT_EQ(locate(rules, "github.com/other/repo").value().fetched, "https://github.com/other/repo.git");
}

TEST(Rules, a_host_does_not_lead_out_of_where_a_mirror_is) {
  const std::vector<Rule> rules = {{"*/*/*", "file:///srv/mirror/{host}/{path}", "", false}};
  for (const char* name : {"https://../org/repo.git", "../org/repo", "./org/repo", "git@..:org/repo.git"}) {
    EXPECT_FALSE(locate(rules, name)) << name;
  }
}

TEST(Rules, urls_are_mapped_too) {
  const std::vector<Rule> rules = {{"host.example/*/*", "file:///srv/{path}", "", true}};
  for (const char* url :
       {"https://host.example/org/repo.git", "git@host.example:org/repo.git", "https://a:b@host.example/org/repo"}) {
    EXPECT_EQ(locate(rules, url).value().fetched, "file:///srv/org/repo") << url;
  }
  EXPECT_TRUE(locate(rules, "https://host.example/org/repo").value().takes_credentials);
  EXPECT_EQ(locate(rules, "https://other.example/r.git").value().fetched, "https://other.example/r.git");
  for (const char* url : {"git@other.example:org/r.git", "ssh://git@other.example:22/org/r.git"}) {
    const auto found = locate(rules, url).value();
    EXPECT_EQ(found.fetched, "https://other.example/org/r.git") << "the daemon has no key";
    EXPECT_EQ(found.named.text(), url);
    EXPECT_TRUE(found.takes_credentials);
  }
  EXPECT_FALSE(locate(rules, "http://other.example/r.git").value().takes_credentials)
      << "a password is not sent in the clear";
}

TEST(Rules, with_an_agent_what_is_named_by_ssh_is_fetched_by_ssh) {
  const std::vector<Rule> rules = {{"host.example/*/*", "https://mirror.example/{path}", "", false},
                                   {"inner.example/*/*", "ssh://git@inner.example:2222/{path}.git", "", false},
                                   {"*/*/*", "", "", false}};
  for (const char* url : {"git@other.example:org/r.git", "ssh://git@other.example:22/org/r.git"}) {
    const auto found = locate(rules, url, true).value();
    EXPECT_EQ(found.fetched, url);
    EXPECT_EQ(protocol_of(found), "ssh");
    EXPECT_FALSE(found.takes_credentials);
  }
  EXPECT_EQ(locate(rules, "git@host.example:org/r.git", true).value().fetched, "https://mirror.example/org/r")
      << "a rule counts more";
  const auto inner = locate(rules, "inner.example/org/r", false).value();
  EXPECT_EQ(inner.fetched, "ssh://git@inner.example:2222/org/r.git");
  EXPECT_FALSE(inner.takes_credentials);
  EXPECT_EQ(protocol_of(locate(rules, "other.example/org/r", true).value()), "https")
      << "who does not say ssh is asked by https";
}

TEST(Rules, what_cannot_work_is_refused) {
  EXPECT_TRUE(check_rule({"github.com/*/*", "file:///srv/{path}", "", false}));
  EXPECT_FALSE(check_rule({"github.com", "", "", false}));
  EXPECT_FALSE(check_rule({"a/b/c", "ext::sh", "", false}));
  EXPECT_TRUE(check_rule({"a/b/c", "ssh://git@x/{path}", "", false}));
}

}  // namespace
}  // namespace ingot::git
