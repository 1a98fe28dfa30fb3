#include <gmock/gmock.h>

#include "daemon/graph/definition.h"
#include "tests/unit/daemon/earthfile/interpreting.h"

// LOCALLY as a graph; what it may not do is in golden/locally.txt.
namespace ingot::earthfile {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of this folder's tests
using ::testing::ElementsAre;

Result<Interpretation> locally(const std::string& text, FakeHost& host, bool push = false) {
  Request request;
  request.target = "+t";
  request.push = push;
  request.locally = Request::Locally::allowed;
  const File file = parsed(text);
  return interpret(file, request, host);
}

graph::Graph graph_of_locally(const std::string& text, bool push = false) {
  FakeHost host;
  auto done = locally(text, host, push);
  if (done) return done->graph;
  ADD_FAILURE() << proto::render(done.error());
  return {};
}

std::vector<std::string> local_texts(const graph::Graph& graph) {
  std::vector<std::string> all;
  for (const auto& step : graph.steps) {
    if (graph::is_local(step.operation)) all.push_back(step.target + " " + step.text);
  }
  return all;
}

// What each of the local steps comes behind, of the local ones.
bool is_one_chain(const graph::Graph& graph) {
  std::optional<graph::StepId> last;
  for (graph::StepId id = 0; id < graph.steps.size(); ++id) {
    if (!graph::is_local(graph.steps[id].operation)) continue;
    if (last && graph.steps[id].parent != last) return false;
    last = id;
  }
  return last.has_value();
}

TEST(InterpretLocally, commands_come_behind_each_other_and_see_no_image) {
  const auto graph = graph_of_locally(
      "VERSION 0.8\nFROM debian:bookworm\nENV BASE=b\nt:\n    LOCALLY\n    ARG A=a\n    RUN one\n    RUN --no-cache "
      "two\n"
      "    SAVE ARTIFACT out\n");
  EXPECT_THAT(local_texts(graph), ElementsAre("+t RUN one", "+t RUN --no-cache two", "+t SAVE ARTIFACT out"));
  EXPECT_TRUE(is_one_chain(graph));
  const auto runs = steps_of<graph::ExecOp>(graph);
  ASSERT_TRUE(runs[0].local);
  EXPECT_EQ(runs[0].local->directory, "");
  EXPECT_TRUE(runs[0].no_cache);
  EXPECT_THAT(runs[0].env, ElementsAre(std::pair<std::string, std::string>("A", "a")));
  ASSERT_EQ(graph.artifacts.size(), 1U);
  EXPECT_EQ(graph.artifacts[0].source, "/out");
  EXPECT_TRUE(std::holds_alternative<graph::TakeOp>(graph.steps[graph.artifacts[0].from].operation));
}

TEST(InterpretLocally, sources_outside_of_the_place_keep_their_names_from_the_root_on) {
  const auto graph = graph_of_locally(
      "VERSION 0.8\nt:\n    LOCALLY\n    WORKDIR a/../b\n    SAVE ARTIFACT /tmp/x\n    SAVE ARTIFACT ./c/*.txt all/\n");
  const auto takes = steps_of<graph::TakeOp>(graph);
  ASSERT_EQ(takes.size(), 2U);
  EXPECT_EQ(takes[0].place.directory, "b");
  EXPECT_EQ(takes[0].source, "/tmp/x");
  EXPECT_EQ(graph.artifacts[0].source, "/tmp/x");
  EXPECT_EQ(takes[1].source, "./c/*.txt");
  EXPECT_EQ(graph.artifacts[1].source, "/c/*.txt");
}

TEST(InterpretLocally, a_copy_is_selected_first_and_then_given) {
  const auto graph = graph_of_locally(
      "VERSION 0.8\nt:\n    LOCALLY\n    RUN before\n    COPY --dir +o/a +o/b there\n    RUN after\no:\n    FROM "
      "debian:bookworm\n    RUN make\n    SAVE ARTIFACT a\n    SAVE ARTIFACT b\n");
  EXPECT_THAT(local_texts(graph), ElementsAre("+t RUN before", "+t COPY --dir +o/a +o/b there",
                                              "+t COPY --dir +o/a +o/b there", "+t RUN after"));
  EXPECT_TRUE(is_one_chain(graph));
  const auto gives = steps_of<graph::GiveOp>(graph);
  ASSERT_EQ(gives.size(), 2U);
  EXPECT_EQ(gives[0].destination, "there/") << "several go into a directory";
  EXPECT_TRUE(gives[0].dir);
  const auto& selected = graph.steps[gives[0].from];
  ASSERT_TRUE(std::holds_alternative<graph::CopyOp>(selected.operation));
  EXPECT_EQ(selected.text, "") << "it is nothing that people wrote";
  EXPECT_FALSE(graph::is_local(graph.steps[*selected.parent].operation)) << "it may be found again";
}

TEST(InterpretLocally, equal_commands_are_done_once_for_a_target_and_again_for_another) {
  const auto graph = graph_of_locally(
      "VERSION 0.8\nt:\n    BUILD +a\n    BUILD +a --NOTHING=1\n    BUILD +b\n    FROM debian:bookworm\n    COPY +a/f "
      "/f\na:\n    LOCALLY\n    RUN same\n    RUN same\n    SAVE ARTIFACT f\nb:\n    LOCALLY\n    RUN same\n");
  EXPECT_THAT(local_texts(graph),
              ::testing::UnorderedElementsAre("+a RUN same", "+a RUN same", "+a SAVE ARTIFACT f", "+b RUN same"));
}

TEST(InterpretLocally, what_is_asked_comes_behind_and_before_the_others) {
  FakeHost host;
  host.answers["test -f x"] = graph::Answer{0, ""};
  host.answers["date"] = graph::Answer{0, "now\n"};
  host.answers["echo *"] = graph::Answer{0, "one two\n"};
  const auto done = locally(
      "VERSION 0.8\nt:\n    LOCALLY\n    RUN first\n    IF test -f x\n        RUN yes\n    END\n    ARG D=$(date)\n"
      "    ARG E=$(date)\n    FOR v IN *\n        RUN last $v\n    END\n",
      host);
  ASSERT_TRUE(done) << proto::render(done.error());
  EXPECT_THAT(host.questions, ElementsAre("test -f x", "date", "date", "echo *")) << "nothing is answered from before";
  EXPECT_THAT(local_texts(done->graph), ElementsAre("+t RUN first", "+t IF test -f x", "+t RUN yes", "+t $(date)",
                                                    "+t $(date)", "+t FOR v IN *", "+t RUN last $v", "+t RUN last $v"));
  EXPECT_TRUE(is_one_chain(done->graph));
}

TEST(InterpretLocally, no_condition_is_answered_without_the_client) {
  FakeHost host;
  const auto done =
      locally("VERSION 0.8\nt:\n    LOCALLY\n    IF [ \"$SOME\" = some ]\n        RUN x\n    END\n", host);
  ASSERT_TRUE(done) << proto::render(done.error());
  EXPECT_THAT(host.questions, ElementsAre("[ \"$SOME\" = some ]")) << "its environment may have it";
}

// A host that writes down what is to be built before reading goes on.
class WaitingHost : public FakeHost {
 public:
  Status build(const graph::Graph& graph) override {
    std::string all;
    for (const auto& step : graph.steps) all += step.text + "; ";
    built.push_back(all);
    return fails ? Status(base::fail(ErrorKind::step_failed, "it failed")) : Status();
  }
  std::vector<std::string> built;
  bool fails = false;
};

TEST(InterpretLocally, what_stands_behind_wait_is_not_come_to_before_all_in_it_is_built) {
  const std::string text =
      "VERSION 0.8\nt:\n    FROM debian:bookworm\n    WAIT\n        BUILD +a\n        WAIT\n            BUILD +b\n"
      "        END\n    END\n    BUILD +there\na:\n    FROM debian:bookworm\n    RUN a\nb:\n    FROM debian:bookworm\n"
      "    RUN b\nthere:\n    LOCALLY\n    RUN there\n";
  WaitingHost host;
  const auto done = locally(text, host);
  ASSERT_TRUE(done) << proto::render(done.error());
  EXPECT_THAT(host.built, ElementsAre("FROM debian:bookworm; RUN a; RUN b; ")) << "once, for the outer one";
  host.fails = true;
  const auto failed = locally(text, host);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "it failed");
  WaitingHost idle;
  Request request;
  request.target = "+t";
  const File file = parsed(text.substr(0, text.find("    BUILD +there")) +
                           "a:\n    FROM debian:bookworm\nb:\n    FROM debian:bookworm\n");
  ASSERT_TRUE(interpret(file, request, idle));
  EXPECT_THAT(idle.built, ElementsAre()) << "where nothing can be local, nobody waits";
}

TEST(InterpretLocally, the_builtin_tells_it) {
  const std::string text =
      "VERSION 0.8\nt:\n    LOCALLY\n    ARG EARTHLY_LOCALLY\n    RUN there\n    FROM debian:bookworm\n    RUN here\n";
  const auto runs = steps_of<graph::ExecOp>(graph_of_locally(text));
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_TRUE(runs[0].local);
  EXPECT_THAT(runs[0].env, ElementsAre(std::pair<std::string, std::string>("EARTHLY_LOCALLY", "true")));
  EXPECT_FALSE(runs[1].local) << "FROM ends it";
}

TEST(InterpretLocally, pushes_wait_for_being_asked_for) {
  const std::string text = "VERSION 0.8\nt:\n    LOCALLY\n    RUN --push out\n    RUN other\n";
  EXPECT_THAT(local_texts(graph_of_locally(text)), ElementsAre("+t RUN other"));
  EXPECT_THAT(local_texts(graph_of_locally(text, true)), ElementsAre("+t RUN --push out", "+t RUN other"));
}

TEST(InterpretLocally, a_place_is_a_part_of_what_a_step_is) {
  const graph::LocalPlace here{"", "+t"};
  const graph::LocalPlace there{"sub", "+t"};
  const graph::LocalPlace other{"", "+u"};
  const auto exec = [](const std::optional<graph::LocalPlace>& place) {
    graph::ExecOp op;
    op.command = "x";
    op.local = place;
    return graph::operation_digest(graph::Operation(op)).str();
  };
  const std::set<std::string> digests{exec({}), exec(here), exec(there), exec(other)};
  EXPECT_EQ(digests.size(), 4U);
  EXPECT_NE(graph::operation_digest(graph::Operation(graph::TakeOp{here, "a", false})).str(),
            graph::operation_digest(graph::Operation(graph::TakeOp{here, "a", true})).str());
  EXPECT_NE(graph::operation_digest(graph::Operation(graph::GiveOp{here, 0, "a", false})).str(),
            graph::operation_digest(graph::Operation(graph::GiveOp{here, 0, "a", true})).str());
}

}  // namespace
}  // namespace ingot::earthfile
