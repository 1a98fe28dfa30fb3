#include "daemon/schedule/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"

namespace ingot::schedule {

namespace {

using base::fail;

bool is_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

// The shortest time between some of its times, in milliseconds; none: there are none.
std::optional<std::int64_t> shortest_interval(const Plan& plan) {
  constexpr int kLookedAt = 30;
  auto time = next_time(plan.cron, plan.time_zone, 0);
  if (!time) return std::nullopt;
  std::optional<std::int64_t> shortest;
  for (int i = 0; i < kLookedAt; ++i) {
    const auto next = next_time(plan.cron, plan.time_zone, *time);
    if (!next) break;
    shortest = shortest ? std::min(*shortest, *next - *time) : *next - *time;
    time = next;
  }
  return shortest;
}

}  // namespace

Status check_plan(const Plan& plan) {
  if (!is_name(plan.name)) {
    return fail(ErrorKind::invalid, "a schedule has a `name` of letters, digits, \"-\", \"_\" and \".\"",
                "such as nightly");
  }
  const std::string schedule = "schedule " + plan.name;
  if (!plan.file.starts_with('/')) {
    return fail(ErrorKind::invalid, schedule + " needs a `file`, the absolute path of a sweep",
                "such as /srv/edge/sweep.yaml");
  }
  if (plan.cron_text.empty()) {
    return fail(ErrorKind::invalid, schedule + " needs a `cron` expression", "such as \"30 2 * * *\"");
  }
  INGOT_CHECK(check_time_zone(plan.time_zone));
  const auto interval = shortest_interval(plan);
  if (!interval) return fail(ErrorKind::invalid, schedule + ": no day is as \"" + plan.cron_text + "\" says");
  if (plan.jitter_seconds * 1000 >= *interval && plan.jitter_seconds > 0) {
    return fail(ErrorKind::invalid, schedule + ": its `jitter` is as long as the time between two of its times",
                "a shorter one leaves none of them out");
  }
  return {};
}

std::int64_t delay_ms(const Plan& plan, std::int64_t time_ms) {
  if (plan.jitter_seconds == 0) return 0;
  constexpr int kDigits = 12;  // 48 bits, as hexadecimal digits
  const auto digest = base::Digest::of(fmt::format("{}\n{}\n{}", plan.name, plan.file, time_ms)).hex();
  return static_cast<std::int64_t>(std::stoull(digest.substr(0, kDigits), nullptr, 16) %
                                   static_cast<std::uint64_t>(plan.jitter_seconds * 1000));
}

}  // namespace ingot::schedule
