#include "client/earthly/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/earthly/output.h"
#include "client/earthly/run.h"

namespace ingot::client::earthly {
namespace {

using proto::Event;
using proto::EventType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Event step(EventType type, const std::string& text = {}) {
  Event event;
  event.type = type;
  event.step = "3";
  event.target = "+t";
  event.text = text;
  if (type == EventType::output) event.stream = "stdout";
  return event;
}

Event ended(Error error) {
  Event event;
  event.type = EventType::state;
  event.state = proto::JobState::failed;
  event.error = std::move(error);
  return event;
}

// What `show` writes.
std::string written(const std::function<void(View&)>& show) {
  char* buffer = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&buffer, &size);
  {
    View view(out, Style{}, false);
    show(view);
  }
  std::fclose(out);
  std::string text(buffer, size);
  std::free(buffer);
  return text;
}

TEST(EarthlyView, steps_have_their_target_in_twenty_columns) {
  EXPECT_EQ(written([](View& view) {
              auto cached = step(EventType::step_start, "COPY a b");
              cached.cached = true;
              view.event(cached);
              view.event(step(EventType::step_start, "RUN x"));
              view.event(step(EventType::output, "hello"));
              view.event(step(EventType::step_end));
              view.message("only with --verbose");
              view.success();
            }),
            "                  +t | *cached* --> COPY a b\n"
            "                  +t | --> RUN x\n"
            "                  +t | hello\n"
            "============================== SUCCESS ==============================\n");
}

TEST(EarthlyView, a_failure_is_told_and_then_repeated_with_the_output) {
  const std::string text = written([](View& view) {
    view.event(step(EventType::step_start, "RUN make \"$X\""));
    view.event(step(EventType::output, "no rule"));
    auto end = step(EventType::step_end);
    end.exit_code = 2;
    view.event(end);
    view.event(ended({ErrorKind::step_failed,
                      "the command ended with exit code 2",
                      "",
                      proto::Position{"Earthfile", 4, 5, "    RUN make"},
                      {}}));
  });
  EXPECT_EQ(text,
            "                  +t | --> RUN make \"$X\"\n"
            "                  +t | no rule\n"
            "                  +t | ERROR Earthfile:4:5\n"
            "                  +t |       The command\n"
            "                  +t |           RUN make \"$X\"\n"
            "                  +t |       ended with exit code 2\n"
            "============================== FAILURE ==============================\n"
            "                  +t *failed* | Once more, what failed:\n"
            "                  +t *failed* | --> RUN make \"$X\"\n"
            "                  +t *failed* | no rule\n"
            "                  +t *failed* | ERROR Earthfile:4:5\n"
            "                  +t *failed* |       The command\n"
            "                  +t *failed* |           RUN make \"$X\"\n"
            "                  +t *failed* |       ended with exit code 2\n");
}

TEST(EarthlyView, of_a_log_that_was_cut_the_last_output_is_repeated) {
  const std::string text = written([](View& view) {
    view.event(step(EventType::step_start, "RUN x"));
    view.event(step(EventType::output, "the beginning"));
    view.event(step(EventType::tail, "the end"));
    auto end = step(EventType::step_end);
    end.exit_code = 1;
    view.event(end);
    view.event(ended({ErrorKind::step_failed, "the command ended with exit code 1", "", {}, {}}));
  });
  EXPECT_THAT(text, HasSubstr(" *failed* | the end\n"));
  EXPECT_THAT(text, Not(HasSubstr(" *failed* | the beginning\n")));
}

TEST(EarthlyView, an_error_that_is_no_steps) {
  const std::string text = written([](View& view) {
    view.event(
        ended({ErrorKind::syntax, "there is no command \"RUNN\"", "", proto::Position{"Earthfile", 3, 1, ""}, {}}));
  });
  EXPECT_THAT(text, HasSubstr("FAILURE"));
  EXPECT_THAT(text, HasSubstr("Error: Earthfile:3:1: there is no command \"RUNN\""));
  EXPECT_THAT(text, Not(HasSubstr("The command")));
}

TEST(EarthlyName, is_the_programs_own_wherever_it_is) {
  EXPECT_TRUE(is_called("earthly"));
  EXPECT_TRUE(is_called("/usr/lib/ingot/earthly-bin/earthly"));
  EXPECT_FALSE(is_called("/opt/earthly/ingot"));
  EXPECT_FALSE(is_called("not-earthly"));
}

std::vector<std::string> names(const std::vector<proto::Artifact>& artifacts) {
  std::vector<std::string> names;
  for (const auto& artifact : artifacts) names.push_back(artifact.name);
  return names;
}

TEST(EarthlyArtifacts, are_found_by_name_by_pattern_and_within_a_directory) {
  std::vector<proto::Artifact> all(3);
  all[0].name = "a.txt";
  all[1].name = "b.txt";
  all[2].name = "dir";
  all[2].media_type = proto::kDirectoryMediaType;
  EXPECT_THAT(names(matching(all, "a.txt")), ElementsAre("a.txt"));
  EXPECT_THAT(names(matching(all, "*.txt")), ElementsAre("a.txt", "b.txt"));
  EXPECT_THAT(names(matching(all, "*")), ElementsAre("a.txt", "b.txt", "dir"));
  EXPECT_THAT(names(matching(all, "dir/x/y")), ElementsAre("dir"));
  EXPECT_THAT(names(matching(all, "a.txt/y")), IsEmpty()) << "a file has nothing below it";
}

}  // namespace
}  // namespace ingot::client::earthly
