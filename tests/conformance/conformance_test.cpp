#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <regex>

#include "tests/conformance/case_runner.h"
#include "tests/support/source_directory.h"

// Each file of cases/ is a test: its Earthfiles against a real daemon, with real containers. INGOT_CASE=REGEX runs only
// the cases whose name matches.
namespace ingot::conformance {
namespace {

namespace fs = std::filesystem;

fs::path directory() {
  return test::source_directory() / "tests/conformance/cases";
}

std::vector<std::string> topics() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory())) {
    if (entry.path().extension() == ".cases") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Topic topic(const std::string& name) {
  return read_topic(test::slurp(directory() / (name + ".cases")));
}

class DaemonBuilder : public Builder {
 public:
  explicit DaemonBuilder(const std::vector<std::string>& flags) : daemon_(flags) {}
  fs::path project() const override { return daemon_.project(); }
  test::RunResult shell(const std::string& commands) override {
    auto environment = daemon_.environment();
    environment["PATH"] = test::binary("").string() + ":" + std::getenv("PATH");
    return test::run_program({"/bin/sh", "-c", commands}, daemon_.project(), environment);
  }
  test::TestDaemon& daemon() { return daemon_; }

 private:
  test::TestDaemon daemon_;
};

// Does nothing, and is content.
class IdleBuilder : public Builder {
 public:
  explicit IdleBuilder(int code) : code_(code) {}
  fs::path project() const override { return directory_.path(); }
  test::RunResult shell(const std::string&) override { return {code_, "", ""}; }

 private:
  int code_;
  test::TempDirectory directory_;
};

class Conformance : public testing::TestWithParam<std::string> {};

TEST_P(Conformance, of) {
  if (geteuid() != 0) GTEST_SKIP() << "containers need root";
  const Topic cases = topic(GetParam());
  EXPECT_EQ(cases.mistakes, std::vector<std::string>());
  const char* only = std::getenv("INGOT_CASE");
  const std::regex wanted(only == nullptr ? "" : only);
  DaemonBuilder builder(cases.daemon_flags);
  for (const Case& one : cases.cases) {
    if (!std::regex_search(one.name, wanted)) continue;
    for (const auto& problem : problems_of(one, builder)) {
      ADD_FAILURE_AT((directory() / (GetParam() + ".cases")).c_str(), static_cast<int>(one.line))
          << one.name << ": " << problem;
    }
  }
  EXPECT_EQ(builder.daemon().leftovers(), "");
}

INSTANTIATE_TEST_SUITE_P(Topics, Conformance, testing::ValuesIn(topics()),
                         [](const auto& one) { return std::regex_replace(one.param, std::regex("[^a-z0-9]"), "_"); });

// A suite that a program passes which does nothing would prove nothing; nor one that passes with everything broken.
TEST(Suite, fails_in_every_case_with_a_program_that_does_nothing) {
  std::size_t count = 0;
  for (const auto& name : topics()) {
    for (const Case& one : topic(name).cases) {
      ++count;
      IdleBuilder content(0);
      EXPECT_NE(problems_of(one, content), std::vector<std::string>()) << name << ": " << one.name;
      IdleBuilder broken(1);
      EXPECT_NE(problems_of(one, broken), std::vector<std::string>()) << name << ": " << one.name;
    }
  }
  EXPECT_GE(count, 400U);
}

}  // namespace
}  // namespace ingot::conformance
