#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <random>
#include <thread>

#include "tests/unit/daemon/earthfile/interpreting.h"

// What is interpreted while a recipe waits for an image or for an answer.
namespace ingot::earthfile::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Answers a question only when as many are asked at the same time as the test expects; after a while it gives up.
class MeetingHost : public FakeHost {
 public:
  explicit MeetingHost(unsigned expected) : expected_(expected) {}

  Result<std::optional<graph::Answer>> ask(const graph::Graph& graph) override {
    {
      std::unique_lock lock(meeting_);
      ++waiting_;
      came_.notify_all();
      const auto all_are_here = [&] { return waiting_ >= expected_ || given_up; };
      if (!came_.wait_for(lock, std::chrono::seconds(10), all_are_here)) ++lonely;
      if (given_up) return base::fail(ErrorKind::canceled, "canceled");
    }
    return FakeHost::ask(graph);
  }
  Result<graph::ImageConfig> image_config(const std::string& reference, const base::Platform& platform) override {
    if (reference == "slow") {
      std::unique_lock lock(meeting_);
      ++waiting_;
      came_.notify_all();
      if (!came_.wait_for(lock, std::chrono::seconds(10), [&] { return waiting_ >= expected_; })) ++lonely;
      return graph::ImageConfig{};
    }
    return FakeHost::image_config(reference, platform);
  }
  bool may_begin() override {
    ++asked_to_begin;
    return asked_to_begin > not_yet;
  }
  void begin(const graph::Graph& graph) override {
    for (const auto& exec : steps_of<graph::ExecOp>(graph)) begun.push_back(exec.command);
  }
  void give_up(const graph::Graph&) override {
    std::lock_guard lock(meeting_);
    given_up = true;
    came_.notify_all();
  }

  int lonely = 0;
  bool given_up = false;
  std::vector<std::string> begun;
  int not_yet = 0;  // how often nothing may be begun, at first
  int asked_to_begin = 0;

 private:
  const unsigned expected_;
  unsigned waiting_ = 0;
  std::mutex meeting_;
  std::condition_variable came_;
};

// Answers after a random while.
class HastyHost : public FakeHost {
 public:
  explicit HastyHost(unsigned seed) : random_(seed) {}
  Result<std::optional<graph::Answer>> ask(const graph::Graph& graph) override {
    pause();
    return FakeHost::ask(graph);
  }
  Result<graph::ImageConfig> image_config(const std::string& reference, const base::Platform& platform) override {
    pause();
    return FakeHost::image_config(reference, platform);
  }

 private:
  void pause() {
    std::chrono::microseconds time{};
    {
      std::lock_guard lock(random_mutex_);
      time = std::chrono::microseconds(std::uniform_int_distribution<int>(0, 400)(random_));
    }
    std::this_thread::sleep_for(time);
  }
  std::mutex random_mutex_;
  std::mt19937 random_;
};

std::vector<std::string> commands_of(const graph::Graph& graph) {
  std::vector<std::string> commands;
  for (const auto& exec : steps_of<graph::ExecOp>(graph)) commands.push_back(exec.command);
  return commands;
}

TEST(Beside, targets_that_are_built_ask_at_the_same_time) {
  MeetingHost host(3);
  const File file = parsed(
      "VERSION 0.8\nFROM debian:bookworm\n"
      "t:\n  BUILD +a\n  BUILD +b\n  BUILD +c\n"
      "a:\n  IF test -f /a\n    RUN x\n  END\n  RUN a\n"
      "b:\n  IF test -f /b\n    RUN x\n  END\n  RUN b\n"
      "c:\n  ARG X=$(cat /c || true)\n  RUN c\n");
  host.answers["cat /c || true"] = graph::Answer{0, ""};
  auto result = interpret(file, {"+t", {}}, host);
  ASSERT_TRUE(result) << proto::render(result.error());
  EXPECT_EQ(host.lonely, 0);
  EXPECT_THAT(commands_of(result->graph), ::testing::UnorderedElementsAre("a", "b", "c"));
}

TEST(Beside, what_a_recipe_comes_to_later_is_begun_while_it_waits) {
  MeetingHost host(3);
  const File file = parsed(
      "VERSION 0.8\n"
      "t:\n  FROM slow\n  COPY +a/x /\n  COPY --dir +$NAME/x /\n  IF true\n    COPY +never/x /\n  END\n"
      "a:\n  FROM debian:bookworm\n  ARG X=$(one)\n  COPY +b/x /x\n  SAVE ARTIFACT /x\n"
      "b:\n  FROM debian:bookworm\n  ARG X=$(two)\n  SAVE ARTIFACT /x\n");
  host.answers["one"] = graph::Answer{0, ""};
  host.answers["two"] = graph::Answer{0, ""};
  auto result = interpret(file, {"+t", {}}, host);
  EXPECT_EQ(host.lonely, 0) << "the image, and both questions";
  ASSERT_FALSE(result) << "what fails is still found where it stands";
  EXPECT_THAT(proto::render(result.error()), HasSubstr("Earthfile:5"));
}

TEST(Beside, what_is_asked_by_several_is_asked_once) {
  MeetingHost host(1);
  const File file = parsed(
      "VERSION 0.8\n"
      "t:\n  BUILD +a\n  BUILD +b\n"
      "a:\n  FROM +base-of-both\n  RUN a\n"
      "b:\n  FROM +base-of-both\n  RUN b\n"
      "base-of-both:\n  FROM debian:bookworm\n  IF test -f /x\n    RUN x\n  END\n  RUN y\n");
  auto result = interpret(file, {"+t", {}}, host);
  ASSERT_TRUE(result) << proto::render(result.error());
  EXPECT_THAT(host.questions, ElementsAre("test -f /x"));
}

TEST(Beside, what_fails_gives_up_what_goes_on_beside_it) {
  MeetingHost host(1000);
  const File file = parsed(
      "VERSION 0.8\n"
      "t:\n  BUILD +waits\n  DO +DOES\n"
      "DOES:\n  FUNCTION\n  BUILD +fails\n"
      "waits:\n  FROM debian:bookworm\n  IF test -f /x\n    RUN x\n  END\n"
      "fails:\n  FROM debian:bookworm\n  RUN --no-such-flag\n");
  const auto began = std::chrono::steady_clock::now();
  auto result = interpret(file, {"+t", {}}, host);
  ASSERT_FALSE(result);
  const std::string error = proto::render(result.error());
  EXPECT_THAT(error, HasSubstr("no-such-flag"));
  EXPECT_THAT(error, HasSubstr("in +fails"));
  EXPECT_THAT(error, HasSubstr("in DOES, called at Earthfile:4"));
  EXPECT_TRUE(host.given_up);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(Beside, an_error_behind_a_wait_tells_the_way_to_it) {
  MeetingHost host(2);
  const File file = parsed(
      "VERSION 0.8\n"
      "t:\n  FROM debian:bookworm\n  DO +DOES\n  ARG X=$(ask)\n"
      "DOES:\n  FUNCTION\n  BUILD +fails\n"
      "fails:\n  FROM slow\n  RUN --no-such-flag\n");
  host.answers["ask"] = graph::Answer{0, ""};
  auto result = interpret(file, {"+t", {}}, host);
  ASSERT_FALSE(result);
  const std::string error = proto::render(result.error());
  EXPECT_THAT(error, HasSubstr("in +fails"));
  EXPECT_THAT(error, HasSubstr("in DOES, called at Earthfile:4"));
}

TEST(Beside, steps_that_are_known_are_begun_while_a_question_is_open) {
  MeetingHost host(1);
  const File file = parsed(
      "VERSION 0.8\nFROM debian:bookworm\n"
      "t:\n  BUILD +a\n  RUN mine\n  IF test -f /x\n    RUN yes\n  END\n"
      "a:\n  RUN a\n");
  auto result = interpret(file, {"+t", {}}, host);
  ASSERT_TRUE(result) << proto::render(result.error());
  EXPECT_THAT(host.begun, Contains("a"));
  EXPECT_THAT(host.begun, Contains("mine"));
  EXPECT_THAT(host.begun, Not(Contains("yes")));
}

TEST(Beside, what_could_not_be_begun_is_begun_later) {
  const std::string text =
      "VERSION 0.8\n"
      "t:\n  FROM debian:bookworm\n  RUN mine\n  IF test -f /x\n    RUN yes\n  END\n  IF test -f /y\n    RUN yes\n"
      "  END\n";
  MeetingHost busy(1);
  busy.not_yet = 1;
  ASSERT_TRUE(interpret(parsed(text), {"+t", {}}, busy));
  EXPECT_THAT(busy.begun, ElementsAre("mine"));
  MeetingHost idle(1);
  idle.not_yet = 1000;
  ASSERT_TRUE(interpret(parsed(text), {"+t", {}}, idle));
  EXPECT_TRUE(idle.begun.empty());
}

TEST(Beside, of_two_images_of_one_name_the_later_in_the_recipe_is_refused) {
  const File file = parsed(
      "VERSION 0.8\n"
      "t:\n  BUILD +a\n  BUILD +b\n"
      "a:\n  FROM debian:bookworm\n  ARG X=$(ask)\n  RUN a\n  SAVE IMAGE one:1\n"
      "b:\n  FROM debian:bookworm\n  RUN b\n  SAVE IMAGE one:1\n");
  FakeHost host;
  host.answers["ask"] = graph::Answer{0, ""};
  for (unsigned seed = 0; seed < 20; ++seed) {
    HastyHost hasty(seed);
    hasty.answers = host.answers;
    auto result = interpret(file, {"+t", {}}, hasty);
    ASSERT_FALSE(result);
    EXPECT_EQ(proto::render(result.error()),
              "Earthfile:13:14: two images are called one:1: the other one is of Earthfile:9\n    SAVE IMAGE one:1\n"
              "               ^\n  in +b\nhint: give each a name of its own, such as name:$ARG");
  }
}

TEST(Beside, the_question_that_is_told_of_is_the_first_of_the_recipe) {
  const File file = parsed(
      "VERSION 0.8\n"
      "t:\n  BUILD +a\n  BUILD +b\n"
      "a:\n  FROM slow\n  IF test -f /a\n    RUN x\n  END\n"
      "b:\n  FROM debian:bookworm\n  IF test -f /b\n    RUN x\n  END\n");
  for (unsigned seed = 0; seed < 20; ++seed) {
    HastyHost host(seed);
    host.images["slow"] = {};
    host.answers["test -f /a"] = std::nullopt;
    host.answers["test -f /b"] = std::nullopt;
    auto result = interpret(file, {"+t", {}}, host);
    ASSERT_TRUE(result) << proto::render(result.error());
    ASSERT_TRUE(result->open_question);
    EXPECT_EQ(result->open_question->line, 7);
  }
}

TEST(Beside, circles_are_found_whoever_comes_first) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    HastyHost host(seed);
    const File file = parsed(
        "VERSION 0.8\n"
        "t:\n  BUILD +a\n  BUILD +b\n  BUILD +c\n"
        "a:\n  FROM debian:bookworm\n  COPY +b/x /\n  SAVE ARTIFACT /x\n"
        "b:\n  FROM debian:bookworm\n  COPY +c/x /\n  SAVE ARTIFACT /x\n"
        "c:\n  FROM debian:bookworm\n  COPY +a/x /\n  SAVE ARTIFACT /x\n");
    auto result = interpret(file, {"+t", {}}, host);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("stands on itself"));
  }
}

TEST(Beside, the_order_of_results_and_warnings_is_the_recipes_own) {
  std::string text = "VERSION 0.8\nt:\n";
  for (int i = 0; i < 8; ++i) text += "  BUILD +m" + std::to_string(i) + "\n";
  for (int i = 0; i < 8; ++i) {
    const std::string n = std::to_string(i);
    text += "m" + n + ":\n  FROM debian:bookworm\n  BUILD +n" + n + "\n  IF test -f /x" + n +
            "\n    RUN x\n  END\n  SAVE ARTIFACT /x AS LOCAL m" + n + "\n  SAVE IMAGE image" + n + ":1\n";
    text += "n" + n + ":\n  FROM debian:bookworm\n  ARG V=$(cat /v" + n + ")\n  SAVE ARTIFACT /x AS LOCAL n" + n + "\n";
  }
  const File file = parsed(text);
  std::vector<std::string> expected;
  for (int i = 0; i < 8; ++i) {
    expected.push_back("n" + std::to_string(i));
    expected.push_back("m" + std::to_string(i));
  }
  for (unsigned seed = 0; seed < 20; ++seed) {
    HastyHost host(seed);
    for (int i = 0; i < 8; ++i) host.answers["cat /v" + std::to_string(i)] = graph::Answer{0, ""};
    auto result = interpret(file, {"+t", {}}, host);
    ASSERT_TRUE(result) << proto::render(result.error());
    std::vector<std::string> paths;
    for (const auto& artifact : result->graph.artifacts) paths.push_back(artifact.local_path);
    EXPECT_EQ(paths, expected);
    ASSERT_EQ(result->graph.images.size(), 8U);
    EXPECT_EQ(result->graph.images[3].name, "image3:1");
    EXPECT_EQ(result->graph.images[3].config.env.size(), 2U);
  }
}

TEST(Beside, what_is_left_open_in_one_target_hides_nothing_of_the_next) {
  FakeHost host;
  host.answers["test -f /x"] = std::nullopt;
  const File file = parsed(
      "VERSION 0.8\nFROM debian:bookworm\n"
      "t:\n  BUILD +a\n  BUILD +b\n"
      "a:\n  RUN before\n  IF test -f /x\n    RUN x\n  END\n"
      "b:\n  RUN b\n");
  auto result = interpret(file, {"+t", {}}, host);
  ASSERT_TRUE(result) << proto::render(result.error());
  EXPECT_THAT(commands_of(result->graph), ElementsAre("before", "b"));
  ASSERT_TRUE(result->open_question);
  EXPECT_EQ(result->open_question->line, 8);
}

TEST(Beside, very_many_targets_share_the_threads_that_there_are) {
  HastyHost host(1);
  std::string text = "VERSION 0.8\nt:\n";
  for (int i = 0; i < 300; ++i) text += "  BUILD +a --N=" + std::to_string(i) + "\n";
  text += "a:\n  FROM debian:bookworm\n  ARG N\n  ARG X=$(echo $N)\n  RUN a\n";
  host.answers["echo $N"] = graph::Answer{0, "1\n"};
  auto result = interpret(parsed(text), {"+t", {}}, host);
  ASSERT_TRUE(result) << proto::render(result.error());
  EXPECT_EQ(commands_of(result->graph).size(), 300U);
}

// A defect is one, and no reason to wait for ever.
TEST(Beside, an_exception_ends_those_who_wait_for_what_it_interrupted) {
  class DefectiveHost : public FakeHost {
   public:
    Result<std::optional<graph::Answer>> ask(const graph::Graph&) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // for the other to come and wait
      throw std::runtime_error("a defect");
    }
  };
  for (const char* text : {"t:\n  BUILD +a\n  BUILD +b\n", "t:\n  BUILD +a\n  FROM +b\n", "t:\n  FROM +a\n"}) {
    DefectiveHost host;
    const File file = parsed(std::string("VERSION 0.8\n") + text +
                             "a:\n  FROM +k\nb:\n  FROM +k\nk:\n  FROM debian:bookworm\n  IF defect\n    RUN x\n"
                             "  END\n");
    Request request{"+t", {}};
    const auto done = interpret(file, request, host);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "interpreting the Earthfile failed: a defect") << text;
  }
}

}  // namespace
}  // namespace ingot::earthfile::testing
