#include "daemon/schedule/cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "daemon/base/strings.h"

namespace ingot::schedule {

namespace {

using base::fail;

struct Field {
  const char* name;
  unsigned least;
  unsigned most;
  std::vector<std::string> words;  // of `least` and those that follow it
};

const std::array<Field, 5>& fields() {
  static const std::array<Field, 5> kFields = {
      {{"minute", 0, 59, {}},
       {"hour", 0, 23, {}},
       {"day of the month", 1, 31, {}},
       {"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
       {"day of the week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}}};
  return kFields;
}

tl::unexpected<Error> refuse(const Field& field, const std::string& text) {
  std::string hint = fmt::format("numbers from {} to {}", field.least, field.most);
  if (!field.words.empty()) hint += " or " + field.words.front() + " to " + field.words.back();
  return fail(ErrorKind::invalid, "\"" + base::printable(text) + "\" is no " + field.name,
              hint + ", ranges such as 1-5, steps such as */2, with commas between");
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<unsigned> value_of(const Field& field, const std::string& text) {
  const auto word = std::find(field.words.begin(), field.words.end(), base::to_lower(text));
  if (word != field.words.end()) return field.least + static_cast<unsigned>(word - field.words.begin());
  const auto value = number(text);
  return value && *value >= field.least && *value <= field.most ? value : std::nullopt;
}

// "*", "5", "1-5", "*/2", "10-30/5", "5/10" (from 5 on).
Result<std::vector<unsigned>> values_of(const Field& field, const std::string& part) {
  const auto slash = part.find('/');
  const std::string range = part.substr(0, slash);
  unsigned step = 1;
  if (slash != std::string::npos) {
    const auto given = number(std::string_view(part).substr(slash + 1));
    if (!given || *given == 0) return refuse(field, part);
    step = *given;
  }
  unsigned first = field.least;
  unsigned last = field.most;
  if (range != "*") {
    const auto dash = range.find('-');
    const auto begin = value_of(field, range.substr(0, dash));
    const auto end = dash == std::string::npos ? begin : value_of(field, range.substr(dash + 1));
    if (!begin || !end || *begin > *end) return refuse(field, part);
    first = *begin;
    if (dash != std::string::npos || slash == std::string::npos) last = *end;
  }
  std::vector<unsigned> values;
  for (unsigned value = first; value <= last; value += step) values.push_back(value);
  return values;
}

std::string without_nickname(const std::string& text) {
  static const std::vector<std::pair<std::string, std::string>> kNicknames = {
      {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
      {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};
  for (const auto& [name, meaning] : kNicknames) {
    if (base::to_lower(text) == name) return meaning;
  }
  return text;
}

}  // namespace

Result<Cron> Cron::parse(const std::string& text) {
  std::vector<std::string> words;
  for (const auto& word : base::split(without_nickname(std::string(base::trim(text))), ' ')) {
    if (!base::trim(word).empty()) words.emplace_back(base::trim(word));
  }
  if (words.size() != fields().size()) {
    return fail(
        ErrorKind::invalid, "\"" + base::printable(text) + "\" has not the five fields of a cron expression",
        "minute, hour, day of the month, month, day of the week, such as \"30 2 * * *\" for every night at 2:30, or "
        "@hourly, @daily, @weekly, @monthly, @yearly");
  }
  Cron cron;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const auto& part : base::split(words[i], ',')) {
      INGOT_TRY(const auto values, values_of(fields()[i], part));
      for (const unsigned value : values) {
        if (i == 0) cron.minutes_.set(value);
        if (i == 1) cron.hours_.set(value);
        if (i == 2) cron.days_.set(value);
        if (i == 3) cron.months_.set(value);
        if (i == 4) cron.weekdays_.set(value % 7);
      }
    }
  }
  // As cron has it, where */2 is open, too.
  cron.is_by_the_hour_ = words[1].front() == '*';
  cron.any_day_ = words[2].front() == '*';
  cron.any_weekday_ = words[4].front() == '*';
  return cron;
}

// Where both are given, one of them is enough.
bool Cron::has_day(unsigned month, unsigned day, unsigned weekday) const {
  if (!months_[month]) return false;
  if (any_day_ || any_weekday_) return days_[day] && weekdays_[weekday];
  return days_[day] || weekdays_[weekday];
}

}  // namespace ingot::schedule
