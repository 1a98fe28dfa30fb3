#include "proto/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/codec.h"

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

TEST(Error, renders_without_what_is_not_known) {
  EXPECT_EQ(render(Error{ErrorKind::internal, "broken", "", {}, {}}), "broken");
  EXPECT_EQ(render(Error{ErrorKind::invalid, "odd", "", Position{"a.yaml", 0, 0, ""}, {}}), "a.yaml: odd");
  EXPECT_EQ(render(Error{ErrorKind::invalid, "odd", "", Position{"a.yaml", 7, 0, "x: y"}, {}}),
            "a.yaml:7: odd\n  x: y");
}

TEST(Error, comes_back_as_it_went) {
  for (const auto& row : error_kinds()) {
    const Error error{
        row.kind, "what \"went\" wrong\n\t\x01", "a hint", Position{"É rth", 1, 2, "líne"}, {"in a", "in b"}};
    const auto parsed = parse_json(dump(to_json(error)));
    ASSERT_TRUE(parsed);
    const Error same = error_from_json(*parsed);
    EXPECT_EQ(same.kind, error.kind);
    EXPECT_EQ(same.message, error.message);
    EXPECT_EQ(same.hint, error.hint);
    EXPECT_EQ(same.context, error.context);
    ASSERT_TRUE(same.position);
    EXPECT_EQ(same.position->file, error.position->file);
    EXPECT_EQ(same.position->line, 1);
    EXPECT_EQ(same.position->column, 2);
    EXPECT_EQ(same.position->source_line, error.position->source_line);
  }
}

TEST(Error, survives_whatever_it_is_decoded_from) {
  EXPECT_EQ(error_from_json(json::parse(R"({"kind":"from_the_future","message":3})")).kind, ErrorKind::internal);
  EXPECT_THAT(error_from_json(json::parse("[1]")).message, testing::HasSubstr("no error object"));
  EXPECT_EQ(error_from_json(json::parse("{}")).message, "no message");
  const Error odd = error_from_json(json::parse(R"({"position":[],"context":[1,"kept",null],"hint":{}})"));
  EXPECT_FALSE(odd.position);
  EXPECT_EQ(odd.context, std::vector<std::string>{"kept"});
  EXPECT_EQ(odd.hint, "");
  // Bytes that are no UTF-8 are shown, and a long answer is not repeated whole.
  EXPECT_EQ(error_from_json(json("\xff")).message, "the answer is no error object: \"\xEF\xBF\xBD\"");
  EXPECT_LT(error_from_json(json(std::string(1'000'000, 'x'))).message.size(), 300U);
}

TEST(Error, numbers_out_of_range_are_not_known) {
  auto line_of = [](json number) {
    return error_from_json({{"position", {{"line", std::move(number)}}}}).position->line;
  };
  EXPECT_EQ(line_of(json::parse("99999999999999999999")), 0);
  EXPECT_EQ(line_of(json::parse("1e300")), 0);
  EXPECT_EQ(line_of(std::numeric_limits<std::uint64_t>::max()), 0);
  EXPECT_EQ(line_of(std::numeric_limits<std::int64_t>::max()), 0);
  EXPECT_EQ(line_of(std::numeric_limits<std::int64_t>::min()), 0);
  EXPECT_EQ(line_of(2147483648LL), 0);
  EXPECT_EQ(line_of(-4), 0);
  EXPECT_EQ(line_of("3"), 0);
  EXPECT_EQ(line_of(2147483647), 2147483647);
}

TEST(Error, every_kind_has_one_row) {
  std::set<std::string_view> names;
  for (const auto& row : error_kinds()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(error_kind_from_name(row.name), row.kind);
    EXPECT_EQ(info(row.kind).name, row.name);
    EXPECT_GT(row.exit_code, 0) << row.name;
    EXPECT_LT(row.exit_code, 256) << row.name;
    EXPECT_GE(row.http_status, 400) << row.name;
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorKind::internal) + 1);
}

}  // namespace
}  // namespace ingot::proto
