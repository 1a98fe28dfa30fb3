#include "daemon/schedule/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ingot::schedule {
namespace {

using testing::HasSubstr;

std::string complaint(const std::string& text) {
  const auto cron = Cron::parse(text);
  return cron ? "" : cron.error().message + " | " + cron.error().hint;
}

TEST(Cron, fields_are_numbers_ranges_steps_lists_and_names) {
  const auto cron = Cron::parse("5,10-12,*/30  1-9/4 * jan,Mar-may mon-FRI");
  ASSERT_TRUE(cron) << cron.error().message;
  std::string minutes;
  for (unsigned minute = 0; minute < 60; ++minute)
    minutes += cron->has_minute(minute) ? std::to_string(minute) + " " : "";
  EXPECT_EQ(minutes, "0 5 10 11 12 30 ");
  std::string hours;
  for (unsigned hour = 0; hour < 24; ++hour) hours += cron->has_hour(hour) ? std::to_string(hour) + " " : "";
  EXPECT_EQ(hours, "1 5 9 ");
  EXPECT_TRUE(cron->has_day(4, 30, 5));
  EXPECT_FALSE(cron->has_day(2, 1, 5));
  EXPECT_FALSE(cron->has_day(4, 30, 6));
}

TEST(Cron, a_number_with_a_step_goes_on_from_there) {
  const auto cron = Cron::parse("50/5 * * * *");
  ASSERT_TRUE(cron);
  EXPECT_TRUE(cron->has_minute(55));
  EXPECT_FALSE(cron->has_minute(45));
}

// As crontab(5) has it.
TEST(Cron, the_two_kinds_of_days_are_either_or_when_both_are_given) {
  const auto both = Cron::parse("0 0 13 * fri");
  EXPECT_TRUE(both->has_day(1, 13, 2));
  EXPECT_TRUE(both->has_day(1, 2, 5));
  EXPECT_FALSE(both->has_day(1, 2, 2));
  const auto open = Cron::parse("0 0 */2 * fri");
  EXPECT_TRUE(open->has_day(1, 3, 5));
  EXPECT_FALSE(open->has_day(1, 3, 2));
  EXPECT_FALSE(open->has_day(1, 2, 5));
}

TEST(Cron, sunday_has_two_numbers) {
  for (const char* text : {"0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * 5-7"}) {
    EXPECT_TRUE(Cron::parse(text)->has_day(1, 1, 0)) << text;
  }
}

TEST(Cron, nicknames_stand_for_five_fields) {
  EXPECT_TRUE(Cron::parse("@hourly")->is_by_the_hour());
  EXPECT_FALSE(Cron::parse("@Daily")->is_by_the_hour());
  EXPECT_FALSE(Cron::parse("@monthly")->has_day(1, 2, 0));
  EXPECT_TRUE(Cron::parse("@weekly")->has_day(1, 2, 0));
}

TEST(Cron, what_is_wrong_is_told_with_what_would_be_right) {
  for (const char* text : {"", "0 2 * *", "0 2 * * * *", "@reboot", "nightly"}) {
    EXPECT_THAT(complaint(text), HasSubstr("has not the five fields of a cron expression")) << text;
  }
  EXPECT_THAT(complaint("60 2 * * *"), HasSubstr("\"60\" is no minute | numbers from 0 to 59"));
  EXPECT_THAT(complaint("0 24 * * *"), HasSubstr("is no hour"));
  EXPECT_THAT(complaint("0 2 0 * *"), HasSubstr("is no day of the month"));
  EXPECT_THAT(complaint("0 2 * foo *"), HasSubstr("is no month | numbers from 1 to 12 or jan to dec"));
  EXPECT_THAT(complaint("0 2 * * 8"), HasSubstr("is no day of the week"));
  for (const char* minute : {"5-1", "*/0", "*/", "/5", "1,", ",", "-", "1-", "-1", "1e1", "0x1", "99999999999", "\n"}) {
    EXPECT_FALSE(Cron::parse(std::string(minute) + " 2 * * *")) << minute;
  }
}

}  // namespace
}  // namespace ingot::schedule
