#include "client/render/plain_view.h"

#include <gtest/gtest.h>

#include "daemon/base/strings.h"

namespace ingot::client {
namespace {

using proto::Event;
using proto::EventType;

Event step(EventType type, const std::string& id, const std::string& text = {}) {
  Event event;
  event.type = type;
  event.step = id;
  event.target = "+t";
  event.text = text;
  if (type == EventType::output) event.stream = "stdout";
  return event;
}

Event failure(ErrorKind kind) {
  Event event;
  event.type = EventType::state;
  event.state = proto::JobState::failed;
  event.error =
      Error{kind, "the command ended with exit code 3", "", proto::Position{"Earthfile", 4, 5, "    RUN false"}, {}};
  return event;
}

class PlainLines : public testing::Test {
 protected:
  LineFormatter formatter{Style{}};
  std::string shown;
  void show(const Event& event) {
    for (const auto& line : formatter.lines(event)) shown += line + "\n";
  }
};

TEST_F(PlainLines, a_step_is_announced_and_its_output_stands_behind_its_target) {
  show(step(EventType::step_start, "1", "RUN a \\\n  && b"));
  show(step(EventType::output, "1", "hello"));
  show(step(EventType::step_end, "1"));
  EXPECT_EQ(shown,
            "                  +t | --> RUN a \\   && b\n"
            "                  +t | hello\n");
}

TEST_F(PlainLines, raw_output_stands_alone) {
  show(step(EventType::step_start, "1", "RUN --no-cache --raw-output echo a"));
  show(step(EventType::output, "1", "::group::a"));
  show(step(EventType::step_end, "1"));
  show(step(EventType::step_start, "2", "RUN echo --raw-output"));
  show(step(EventType::output, "2", "--raw-output"));
  EXPECT_EQ(shown,
            "                  +t | --> RUN --no-cache --raw-output echo a\n"
            "::group::a\n"
            "                  +t | --> RUN echo --raw-output\n"
            "                  +t | --raw-output\n");
}

TEST_F(PlainLines, a_cached_step_says_so) {
  auto event = step(EventType::step_start, "1", "RUN a");
  event.cached = true;
  show(event);
  EXPECT_EQ(shown, "                  +t | *cached* --> RUN a\n");
}

TEST_F(PlainLines, pieces_of_a_line_are_joined_by_step_and_stream) {
  auto piece = [&](const std::string& id, const std::string& stream, const std::string& text, bool partial) {
    auto event = step(EventType::output, id, text);
    event.stream = stream;
    event.partial = partial;
    show(event);
  };
  piece("1", "stdout", "on", true);
  piece("1", "stderr", "warn", true);
  piece("2", "stdout", "other", false);
  piece("1", "stdout", "e", false);
  EXPECT_EQ(shown, "                  +t | other\n                  +t | one\n");
  show(step(EventType::step_end, "1"));
  EXPECT_EQ(shown, "                  +t | other\n                  +t | one\n                  +t | warn\n")
      << "a line that never ended is shown with the step's end";
}

TEST_F(PlainLines, bytes_that_are_no_text_are_shown_as_such) {
  auto event = step(EventType::output, "1");
  event.bytes =
      "\x01\xff\xfe"
      "bin";
  show(event);
  EXPECT_EQ(shown, "                  +t | \\x01\\xff\\xfebin\n");
}

TEST_F(PlainLines, a_line_without_end_is_shown_in_parts) {
  auto event = step(EventType::output, "1", std::string(600'000, 'x'));
  event.partial = true;
  show(event);
  EXPECT_TRUE(shown.empty());
  show(event);
  EXPECT_EQ(shown.size(), 23U + 1'200'000 + 1);
}

TEST_F(PlainLines, the_output_of_a_failed_step_comes_once_more_at_the_end) {
  show(step(EventType::step_start, "1", "RUN false"));
  show(step(EventType::step_start, "2", "RUN true"));
  for (int i = 0; i < 50; ++i) show(step(EventType::output, "1", "line " + std::to_string(i)));
  show(step(EventType::output, "2", "innocent"));
  auto end = step(EventType::step_end, "1");
  end.exit_code = 3;
  show(end);
  show(step(EventType::step_end, "2"));
  shown.clear();
  show(failure(ErrorKind::step_failed));
  const auto lines = base::split(shown, '\n');
  EXPECT_EQ(lines[0], "The output of the step that failed, once more:");
  EXPECT_EQ(lines[1], "                  +t | line 10");
  EXPECT_EQ(lines[40], "                  +t | line 49");
  EXPECT_EQ(lines[41], "ERROR Earthfile:4:5: the command ended with exit code 3");
  EXPECT_EQ(lines[42], "      RUN false");
  EXPECT_EQ(lines[43], "      ^");
  EXPECT_EQ(lines.size(), 45U);
}

TEST_F(PlainLines, after_a_cut_log_the_daemons_own_tail_is_the_end) {
  show(step(EventType::output, "1", "early"));
  show(step(EventType::cut, "", "the log has reached its limit"));
  show(step(EventType::tail, "1", "late 1\nlate 2\n"));
  auto end = step(EventType::step_end, "1");
  end.exit_code = 1;
  show(end);
  show(failure(ErrorKind::step_failed));
  EXPECT_EQ(shown,
            "                  +t | early\n"
            "               ingot | the log has reached its limit\n"
            "The output of the step that failed, once more:\n"
            "                  +t | late 1\n"
            "                  +t | late 2\n"
            "ERROR Earthfile:4:5: the command ended with exit code 3\n"
            "      RUN false\n"
            "      ^\n");
}

TEST_F(PlainLines, an_error_that_is_no_steps_repeats_nothing) {
  show(step(EventType::output, "1", "text"));
  shown.clear();
  auto event = failure(ErrorKind::not_found);
  event.error = Error{ErrorKind::not_found, "no target \033[31m\"+x\"", "did you mean \"y\"?", std::nullopt, {}};
  show(event);
  EXPECT_EQ(shown, "ERROR no target \\x1b[31m\"+x\"\nhint: did you mean \"y\"?\n");
}

TEST_F(PlainLines, notes_are_the_jobs_own) {
  show(step(EventType::note, "", "warning: Earthfile:1\n  FROM x\n  ^"));
  EXPECT_EQ(shown,
            "               ingot | warning: Earthfile:1\n"
            "               ingot |   FROM x\n"
            "               ingot |   ^\n");
}

TEST_F(PlainLines, verbose_tells_how_long_steps_took) {
  formatter = LineFormatter(Style{}, true);
  auto end = step(EventType::step_end, "1");
  end.seconds = 65;
  show(end);
  end.exit_code = 1;
  show(end);
  end.exit_code = 0;
  end.cached = true;
  end.seconds = 0;
  show(end);
  EXPECT_EQ(shown,
            "                  +t | done after 1m05s\n"
            "                  +t | failed after 1m05s\n"
            "                  +t | *cached* after 0.0s\n");
}

}  // namespace
}  // namespace ingot::client
