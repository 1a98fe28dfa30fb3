#include <date/tz.h>

#include <stdexcept>
#include <vector>

#include "daemon/base/strings.h"
#include "daemon/schedule/cron.h"

namespace ingot::schedule {

namespace {

using namespace std::chrono;

// Throws std::runtime_error where there is none of this name. A host that does not say where it is keeps UTC.
const date::time_zone* zone_of(const std::string& name) {
  if (!name.empty()) return date::locate_zone(name);
  try {
    return date::current_zone();
  } catch (const std::runtime_error&) {
    return date::locate_zone("Etc/UTC");
  }
}

// When a time on the wall is: not at all, once or twice.
void add_instants(const date::time_zone& zone, const Cron& cron, date::local_time<minutes> wall,
                  std::vector<date::sys_seconds>& instants) {
  const date::local_info info = zone.get_info(wall);
  const auto by = [&](const date::sys_info& offset) {
    return date::sys_seconds(wall.time_since_epoch() - offset.offset);
  };
  if (info.result == date::local_info::nonexistent) {
    if (!cron.is_by_the_hour()) instants.push_back(info.first.end);
    return;
  }
  instants.push_back(by(info.first));
  if (info.result == date::local_info::ambiguous && cron.is_by_the_hour()) instants.push_back(by(info.second));
}

std::vector<date::sys_seconds> instants_of(const date::time_zone& zone, const Cron& cron, date::local_days day) {
  std::vector<date::sys_seconds> instants;
  for (unsigned hour = 0; hour < 24; ++hour) {
    if (!cron.has_hour(hour)) continue;
    for (unsigned minute = 0; minute < 60; ++minute) {
      if (cron.has_minute(minute)) add_instants(zone, cron, day + hours(hour) + minutes(minute), instants);
    }
  }
  return instants;
}

}  // namespace

Status check_time_zone(const std::string& name) try {
  zone_of(name);
  return {};
} catch (const std::runtime_error&) {
  std::vector<std::string> known;
  for (const auto& zone : date::get_tzdb().zones) known.push_back(zone.name());
  const std::string near = base::did_you_mean(name, known);
  return base::fail(ErrorKind::invalid, "there is no time zone \"" + base::printable(name) + "\"",
                    near.empty() ? "such as Europe/Berlin, America/New_York or Etc/UTC" : near);
}

std::optional<std::int64_t> next_time(const Cron& cron, const std::string& time_zone, std::int64_t after_ms) try {
  // Every day of the calendar comes within eight years: 29 February may be left out once in a century.
  constexpr int kDays = 8 * 366 + 2;
  const date::time_zone& zone = *zone_of(time_zone);
  const date::sys_time<milliseconds> after{milliseconds(after_ms)};
  // The day before as well: by a clock that is put back at midnight, it is not over.
  date::local_days day = date::floor<date::days>(zone.to_local(after)) - date::days(1);
  for (int i = 0; i < kDays; ++i, day += date::days(1)) {
    const date::year_month_day calendar(day);
    const date::weekday weekday(day);
    if (!cron.has_day(static_cast<unsigned>(calendar.month()), static_cast<unsigned>(calendar.day()),
                      weekday.c_encoding())) {
      continue;
    }
    std::optional<date::sys_seconds> first;
    for (const auto& instant : instants_of(zone, cron, day)) {
      if (instant > after && (!first || instant < *first)) first = instant;
    }
    if (first) return duration_cast<milliseconds>(first->time_since_epoch()).count();
  }
  return std::nullopt;
} catch (const std::runtime_error&) {
  return std::nullopt;  // its zone is not there any more
}

}  // namespace ingot::schedule
