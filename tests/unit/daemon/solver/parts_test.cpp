#include "daemon/solver/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::solver {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;

class PartsTest : public testing::Test {
 protected:
  PartsTest() {
    graph.steps.push_back({graph::ImageOp{"tiny"}, {}, "+t", "FROM tiny", {}});
    graph::ExecOp run;
    run.command = "make";
    run.env = {{"VERSION", "1.2"}, {"TOKEN", "secret"}};
    graph.steps.push_back({run, 0, "+t", "RUN make", {}});
    graph::CopyOp copy;
    copy.sources = {"src"};
    copy.destination = "/src";
    graph.steps.push_back({copy, 1, "+t", "COPY src /src", {}});
    keys.assign(3, StepKey{base::Digest::of("key"), base::Digest::of("operation"), false});
    manifest.entries = {{"src", proto::EntryType::directory, 0755, 0, 0, "", ""},
                        {"src/a.c", proto::EntryType::file, 0644, 5, 3, "sha256:a", ""},
                        {"other", proto::EntryType::file, 0644, 5, 3, "sha256:b", ""}};
  }
  Parts parts(graph::StepId id) {
    const store::ContextTree tree(manifest);
    return parts_of(graph, id, keys, tree);
  }
  graph::Graph graph;
  std::vector<StepKey> keys;
  proto::ContextManifest manifest;
};

TEST_F(PartsTest, a_command_has_each_variable_and_what_it_stands_on) {
  const auto found = parts(1);
  EXPECT_THAT(found, Contains(Key("the command")));
  EXPECT_THAT(found, Contains(Key("$VERSION")));
  EXPECT_THAT(found, Contains(Key("what it stands on (+t FROM tiny)")));
  for (const auto& [name, value] : found) EXPECT_THAT(value, Not(testing::HasSubstr("secret"))) << name;
}

TEST_F(PartsTest, one_variable_changes_one_part) {
  const auto before = parts(1);
  std::get<graph::ExecOp>(graph.steps[1].operation).env = {{"VERSION", "1.3"}, {"TOKEN", "secret"}};
  auto after = parts(1);
  EXPECT_NE(before.at("$VERSION"), after.at("$VERSION"));
  after["$VERSION"] = before.at("$VERSION");
  EXPECT_EQ(before, after);
}

TEST_F(PartsTest, a_copy_has_each_file_that_it_takes_and_no_other) {
  const auto before = parts(2);
  EXPECT_THAT(before, Contains(Key("file src/a.c")));
  EXPECT_THAT(before, Not(Contains(Key("file other"))));
  manifest.entries[1].digest = "sha256:c";
  EXPECT_NE(before.at("file src/a.c"), parts(2).at("file src/a.c"));
}

TEST_F(PartsTest, their_digest_is_known_before_them) {
  const auto digest = [&](bool stands_on_anew = false) { return parts_digest(graph, 2, keys, stands_on_anew); };
  const std::string before = digest();
  EXPECT_EQ(digest(), before);
  EXPECT_NE(digest(true), before);
  graph.steps[1].text = "RUN make all";
  EXPECT_NE(digest(), before) << "what a part is called";
  graph.steps[1].text = "RUN make";
  EXPECT_EQ(digest(), before);
  keys[2].key = base::Digest::of("another");
  EXPECT_NE(digest(), before);
  keys[2].never_found = true;
  EXPECT_EQ(digest(), "") << "its key says nothing";
}

}  // namespace
}  // namespace ingot::solver
