#include "proto/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "proto/base64.h"

namespace ingot::proto {
namespace {

using nlohmann::json;

TEST(Error, renders_place_line_caret_and_hint) {
  Error error{ErrorKind::syntax,
              "there is no command \"RNU\"",
              "did you mean \"RUN\"?",
              Position{"Earthfile", 3, 5, "\tx  RNU"},
              {"in target +a"}};
  EXPECT_EQ(
      render(error),
      "Earthfile:3:5: there is no command \"RNU\"\n  \tx  RNU\n  \t   ^\n  in target +a\nhint: did you mean \"RUN\"?");
  EXPECT_EQ(render(error_from_json(to_json(error))), render(error));
}

TEST(Error, survives_whatever_it_is_decoded_from) {
  EXPECT_EQ(error_from_json(json::parse(R"({"kind":"from_the_future","message":3})")).kind, ErrorKind::internal);
  EXPECT_EQ(error_from_json(json::parse(R"({"position":{"line":99999999999999999999,"column":-4}})")).position->line,
            0);
  EXPECT_THAT(error_from_json(json::parse("[1]")).message, testing::HasSubstr("no error object"));
}

TEST(Error, every_kind_has_one_row_and_an_exit_code_of_its_own_meaning) {
  for (const auto& row : error_kinds()) {
    EXPECT_EQ(error_kind_from_name(row.name), row.kind);
    EXPECT_GT(row.exit_code, 0) << row.name;
    EXPECT_GE(row.http_status, 400) << row.name;
  }
}

TEST(Codec, jobs_and_events_come_back_as_they_went) {
  Job job;
  job.id = "abcdefghij";
  job.spec.context = "sha256:" + std::string(64, 'a');
  job.spec.target = "+t";
  job.spec.args = {{"A", "1"}};
  job.spec.labels = {{"team", "edge"}};
  job.spec.priority = -3;
  job.state = JobState::failed;
  job.submitter = {1000, 1000, "me"};
  job.error = Error{ErrorKind::step_failed, "exit code 3", "", Position{"Earthfile", 1, 2, "RUN"}, {}};
  auto decoded = job_from_json(to_json(job));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(to_json(*decoded), to_json(job));

  Event event;
  event.seq = 7;
  event.type = EventType::output;
  event.bytes = std::string("\xff\x00\x01", 3);
  event.partial = true;
  auto same = event_from_json(to_json(event));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->bytes, event.bytes);
  EXPECT_EQ(to_json(*same), to_json(event));
}

TEST(Codec, names_the_field_that_is_wrong_and_ignores_those_it_does_not_know) {
  auto decode = [](const char* text) { return job_spec_from_json(json::parse(text)); };
  EXPECT_EQ(decode(R"({"target":"+a"})").error().message, "field \"context\" of a job specification is missing");
  EXPECT_EQ(decode(R"({"context":"x","target":3})").error().message,
            "field \"target\" of a job specification must be a string");
  EXPECT_EQ(decode(R"({"context":"x","target":"+a","priority":1e99})").error().message,
            "field \"priority\" of a job specification must be a whole number within its bounds");
  EXPECT_EQ(decode(R"({"context":"x","target":"+a","args":{"A":1}})").error().message,
            "field \"args\" of a job specification must be an object of strings");
  EXPECT_TRUE(decode(R"({"context":"x","target":"+a","from_the_future":[1]})"));
  EXPECT_EQ(decode("[]").error().message, "a job specification must be a JSON object");
}

TEST(Codec, json_that_is_none_or_too_deep_is_an_error_and_no_exception) {
  EXPECT_EQ(parse_json("{\"a\":").error().kind, ErrorKind::invalid);
  EXPECT_EQ(parse_json(std::string(100'000, '[')).error().kind, ErrorKind::invalid);
  EXPECT_EQ(parse_json("{\"a\": 1e999999}").error().kind, ErrorKind::invalid);
  EXPECT_EQ(dump(json("\xff")), "\"\xEF\xBF\xBD\"");
}

TEST(Codec, the_canonical_text_does_not_depend_on_order) {
  ContextManifest one;
  one.entries = {{"b", EntryType::file, 0644, 1, 5, "sha256:x", ""}, {"a", EntryType::directory, 0755, 0, 5, "", ""}};
  ContextManifest two;
  two.entries = {one.entries[1], one.entries[0]};
  EXPECT_EQ(canonical_text(one), canonical_text(two));
  two.entries[0].mode = 0700;
  EXPECT_NE(canonical_text(one), canonical_text(two));
}

TEST(Base64, comes_back_and_refuses_what_it_is_not) {
  for (std::size_t length = 0; length < 70; ++length) {
    const std::string bytes(length, '\xfe');
    EXPECT_EQ(*base64_decode(base64_encode(bytes)), bytes);
  }
  EXPECT_FALSE(base64_decode("abc"));
  EXPECT_FALSE(base64_decode("a$c="));
}

}  // namespace
}  // namespace ingot::proto
