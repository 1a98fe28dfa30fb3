#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/test_daemon.h"

// What costs a build elsewhere is told before anything is sent.
namespace ingot::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Edge : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
    daemon.emplace();
    ASSERT_EQ(daemon->ingot({"init"}).code, 0);
    daemon->project_file("user-data", "#cloud-config\ninstall:\n  poweroff: true\n");
  }
  std::string jobs() { return daemon->ingot({"ps", "--all", "-q"}).out; }

  std::optional<TestDaemon> daemon;
};

TEST_F(Edge, a_misspelt_parameter_is_told_with_its_line_and_nothing_is_queued) {
  daemon->project_file(".arg", "OS_DISTRIBUTION=Debian\nK8s_VERSION=1.32.3\n");
  const auto built = daemon->ingot({"build", "+iso", "--ISO_NAME=a/b"});
  EXPECT_EQ(built.code, 2);
  EXPECT_THAT(built.err, AllOf(HasSubstr(".arg:1:1: OS_DISTRIBUTION=\"Debian\" is none of"),
                               HasSubstr(".arg:2:1: K8s_VERSION is no parameter"),
                               HasSubstr("did you mean K8S_VERSION?"), HasSubstr("all 58 k3s versions would be built"),
                               HasSubstr("ISO_NAME=\"a/b\" has a slash"), HasSubstr("there are 3 mistakes")));
  EXPECT_EQ(jobs(), "");
}

TEST_F(Edge, user_data_is_checked_for_what_carries_it) {
  daemon->project_file("user-data", "#cloud-init\nstylus: {site: {edgeHostToken: [hunter2]}}\n");
  const auto built = daemon->ingot({"build", "+iso"});
  EXPECT_EQ(built.code, 2);
  EXPECT_THAT(built.err, AllOf(HasSubstr("user-data:1:1: the first line is not #cloud-config"),
                               HasSubstr("edgeHostToken is one text"), Not(HasSubstr("hunter2"))));
  EXPECT_EQ(jobs(), "");
  const auto validated = daemon->ingot({"validate", "--json"});
  EXPECT_EQ(validated.code, 2);
  EXPECT_THAT(validated.out, AllOf(HasSubstr("\"line\":2"), Not(HasSubstr("hunter2"))));
}

TEST_F(Edge, what_is_suspicious_stops_a_strict_build_alone) {
  daemon->project_file("user-data", "#cloud-config\nstylus: {unheardof: 1}\n");
  const auto strict = daemon->ingot({"plan", "--strict", "+iso"});
  EXPECT_EQ(strict.code, 2);
  EXPECT_THAT(strict.err, HasSubstr("ingot: warning: user-data:2:10: stylus.unheardof is not known"));
  const auto planned = daemon->ingot({"plan", "+iso"});
  EXPECT_EQ(planned.code, 0) << planned.err;
  EXPECT_THAT(planned.err, HasSubstr("stylus.unheardof is not known"));
}

}  // namespace
}  // namespace ingot::test
