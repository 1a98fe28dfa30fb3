#include <date/date.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "daemon/schedule/cron.h"

namespace ingot::schedule {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::int64_t ms(const std::string& utc) {
  std::istringstream in(utc);
  date::sys_time<std::chrono::milliseconds> time;
  in >> date::parse("%F %T", time);
  EXPECT_FALSE(in.fail()) << utc;
  return time.time_since_epoch().count();
}

// The times that follow, in UTC.
std::vector<std::string> times(const std::string& cron, const std::string& zone, const std::string& after, int count) {
  std::vector<std::string> found;
  std::int64_t now = ms(after);
  for (int i = 0; i < count; ++i) {
    const auto next = next_time(*Cron::parse(cron), zone, now);
    if (!next) break;
    now = *next;
    found.push_back(date::format("%F %R", date::sys_time<std::chrono::minutes>(std::chrono::minutes(now / 60'000))));
  }
  return found;
}

TEST(NextTime, is_by_the_clock_of_its_zone) {
  EXPECT_THAT(times("30 2 * * *", "Etc/UTC", "2026-11-22 02:29:59", 2),
              ElementsAre("2026-11-22 02:30", "2026-11-23 02:30"));
  EXPECT_THAT(times("30 2 * * *", "Europe/Berlin", "2026-11-22 00:00:00", 1), ElementsAre("2026-11-22 01:30"));
  EXPECT_THAT(times("30 2 * * *", "Asia/Kolkata", "2026-11-22 00:00:00", 1), ElementsAre("2026-11-22 21:00"));
  EXPECT_THAT(times("0 0 1 * *", "America/New_York", "2026-11-22 00:00:00", 1), ElementsAre("2026-12-01 05:00"));
}

TEST(NextTime, comes_after_and_not_at_the_moment_that_was_handled) {
  EXPECT_THAT(times("30 2 * * *", "Etc/UTC", "2026-11-22 02:30:00", 1), ElementsAre("2026-11-23 02:30"));
}

// In Berlin 29 March 2026 has no 2:30, and 25 October 2026 has two of them.
TEST(NextTime, in_the_night_that_lacks_an_hour_it_is_at_the_end_of_the_gap) {
  EXPECT_THAT(times("30 2 * * *", "Europe/Berlin", "2026-03-28 00:00:00", 3),
              ElementsAre("2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"));
  EXPECT_THAT(times("0,15,30 2 * * *", "Europe/Berlin", "2026-03-28 12:00:00", 2),
              ElementsAre("2026-03-29 01:00", "2026-03-30 00:00"));
}

TEST(NextTime, in_the_night_that_has_an_hour_twice_it_is_once) {
  EXPECT_THAT(times("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00:00", 2),
              ElementsAre("2026-10-25 00:30", "2026-10-26 01:30"));
}

TEST(NextTime, what_is_done_every_hour_goes_by_time_that_passes) {
  EXPECT_THAT(times("30 * * * *", "Europe/Berlin", "2026-03-29 00:00:00", 3),
              ElementsAre("2026-03-29 00:30", "2026-03-29 01:30", "2026-03-29 02:30"));
  EXPECT_THAT(times("30 * * * *", "Europe/Berlin", "2026-10-25 00:00:00", 3),
              ElementsAre("2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"));
  EXPECT_THAT(times("*/20 * * * *", "Europe/Berlin", "2026-03-29 00:30:00", 3),
              ElementsAre("2026-03-29 00:40", "2026-03-29 01:00", "2026-03-29 01:20"));
}

// Where clocks are put back at midnight a day comes back for an hour.
TEST(NextTime, a_day_may_end_twice) {
  EXPECT_THAT(times("30 23 * * *", "America/Havana", "2026-10-31 12:00:00", 2),
              ElementsAre("2026-11-01 03:30", "2026-11-02 04:30"));
  EXPECT_THAT(times("15 0 * * *", "America/Havana", "2026-10-31 12:00:00", 2),
              ElementsAre("2026-11-01 04:15", "2026-11-02 05:15"));
}

TEST(NextTime, a_day_that_is_rare_is_found_and_one_that_is_not_there_is_not) {
  EXPECT_THAT(times("0 0 29 2 *", "Etc/UTC", "2026-11-22 00:00:00", 2),
              ElementsAre("2028-02-29 00:00", "2032-02-29 00:00"));
  EXPECT_THAT(times("0 0 29 2 *", "Etc/UTC", "2096-03-01 00:00:00", 1), ElementsAre("2104-02-29 00:00"));
  EXPECT_THAT(times("0 0 30 2 *", "Etc/UTC", "2026-11-22 00:00:00", 1), ElementsAre());
}

TEST(NextTime, a_zone_that_is_not_there_is_told_with_one_that_is) {
  EXPECT_TRUE(check_time_zone("Europe/Berlin"));
  EXPECT_TRUE(check_time_zone(""));
  EXPECT_EQ(check_time_zone("Europe/Berln").error().message, "there is no time zone \"Europe/Berln\"");
  EXPECT_THAT(check_time_zone("Europe/Berln").error().hint, HasSubstr("Europe/Berlin"));
  EXPECT_THAT(check_time_zone("CEST+nowhere").error().hint, HasSubstr("such as Europe/Berlin"));
}

}  // namespace
}  // namespace ingot::schedule
