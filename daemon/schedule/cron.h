#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/base/result.h"

namespace ingot::schedule {

// When something is done again and again, as crontab(5) writes it: minute, hour, day of the month, month, day of the
// week, each a list of numbers, ranges, steps and names; or @daily and its like.
class Cron {
 public:
  static Result<Cron> parse(const std::string& text);

  bool has_day(unsigned month, unsigned day, unsigned weekday) const;
  bool has_hour(unsigned hour) const { return hours_[hour]; }
  bool has_minute(unsigned minute) const { return minutes_[minute]; }
  // Its hours are * or */N: meant in time that passes, and not by the clock on the wall.
  bool is_by_the_hour() const { return is_by_the_hour_; }

 private:
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;  // from Sunday
  bool any_day_ = false;     // the day of the month is left open, and so may be that of the week
  bool any_weekday_ = false;
  bool is_by_the_hour_ = false;
};

// The names that are known are those of tz(5), such as "Europe/Berlin"; empty: the host's own zone.
Status check_time_zone(const std::string& name);

// The first time after `after_ms`, in milliseconds since 1970; none: there is no such day, as with 30 February.
// When clocks are put forward, what falls into the gap is done at its end; when they are put back, what comes twice is
// done once, the first time. Where the hours are * or */N they go by time that passes: nothing is made up
// for a gap, and the hour that comes twice counts twice.
std::optional<std::int64_t> next_time(const Cron& cron, const std::string& time_zone, std::int64_t after_ms);

}  // namespace ingot::schedule
