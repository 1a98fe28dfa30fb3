#include "daemon/sweep/versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <regex>

#include "daemon/base/strings.h"

namespace ingot::sweep {

namespace {

using base::fail;
using Texts = std::vector<std::string>;

// "1.32" of 1.32.3.
std::string minor_of(const std::string& version) {
  const std::size_t first = version.find('.');
  const std::size_t second = first == std::string::npos ? first : version.find('.', first + 1);
  return version.substr(0, second);
}

std::optional<std::size_t> count_of(std::string_view digits) {
  std::size_t count = 0;
  const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (bad != std::errc() || end != digits.data() + digits.size() || count == 0) return std::nullopt;
  return count;
}

Texts newest_of_minors(const Texts& known, std::size_t minors) {
  Texts newest;
  for (const auto& version : known) {
    if (!newest.empty() && minor_of(newest.back()) == minor_of(version)) newest.pop_back();
    newest.push_back(version);
  }
  if (newest.size() > minors) newest.erase(newest.begin(), newest.end() - static_cast<std::ptrdiff_t>(minors));
  return newest;
}

// Whether a version is one of "1.32.x" or "1.32.3".
bool is_of(const std::string& version, const std::string& bound) {
  if (!bound.ends_with(".x")) return version == bound;
  return version.starts_with(bound.substr(0, bound.size() - 1));
}

Texts between(const Texts& known, const std::string& from, const std::string& to) {
  const auto lowest = [](const std::string& bound) {
    return bound.ends_with(".x") ? bound.substr(0, bound.size() - 2) + ".0" : bound;
  };
  Texts found;
  for (const auto& version : known) {
    const bool above = is_of(version, from) || !is_older(version, lowest(from));
    const bool below = is_of(version, to) || is_older(version, lowest(to));
    if (above && below) found.push_back(version);
  }
  return found;
}

// None where `wanted` is no range at all.
std::optional<Texts> match(const std::string& wanted, const Texts& known) {
  static const std::regex kLatest("latest(?: ([0-9]{1,6})( minors?)?)?");
  static const std::regex kBetween("([0-9]+(?:\\.[0-9x]+)*[^ ]*) - ([0-9]+(?:\\.[0-9x]+)*[^ ]*)");
  constexpr std::size_t kLongest = 200;
  if (wanted.size() > kLongest) return std::nullopt;
  std::smatch words;
  if (wanted == "all") return known;
  if (std::regex_match(wanted, words, kLatest)) {
    const std::size_t count = words[1].matched ? count_of(words[1].str()).value_or(0) : 1;
    if (words[2].matched) return newest_of_minors(known, count);
    return Texts(known.end() - static_cast<std::ptrdiff_t>(std::min(count, known.size())), known.end());
  }
  if (std::regex_match(wanted, words, kBetween)) return between(known, words[1], words[2]);
  if (!wanted.ends_with(".x")) return std::nullopt;
  Texts found;
  std::copy_if(known.begin(), known.end(), std::back_inserter(found),
               [&](const std::string& version) { return is_of(version, wanted); });
  return found;
}

std::string what_there_is(const Texts& known) {
  if (known.empty()) return "there is none";
  Texts minors;
  for (const auto& version : known) {
    if (minors.empty() || minors.back() != minor_of(version) + ".x") minors.push_back(minor_of(version) + ".x");
  }
  return fmt::format("there are {}, from {} to {}", base::join(minors, ", "), known.front(), known.back());
}

}  // namespace

bool is_older(const std::string& a, const std::string& b) {
  std::size_t i = 0;
  std::size_t j = 0;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto number = [&](const std::string& text, std::size_t& at) {
    std::uint64_t value = 0;
    while (at < text.size() && is_digit(text[at])) value = value * 10 + static_cast<std::uint64_t>(text[at++] - '0');
    return value;
  };
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto left = number(a, i);
      const auto right = number(b, j);
      if (left != right) return left < right;
      continue;
    }
    if (a[i] != b[j]) return a[i] < b[j];
    ++i;
    ++j;
  }
  // "1.32.0-rc1" is before "1.32.0", and that before "1.32.0.1".
  if (i < a.size()) return a[i] == '-';
  return j < b.size() && b[j] != '-';
}

Result<Texts> select_versions(const std::string& wanted, Texts known, const std::string& whose) {
  std::sort(known.begin(), known.end(), is_older);
  auto found = match(wanted, known);
  if (!found && std::find(known.begin(), known.end(), wanted) != known.end()) found = Texts{wanted};
  if (found && !found->empty()) return *std::move(found);
  return fail(ErrorKind::invalid, fmt::format("\"{}\" is no version of {}", base::printable(wanted), whose),
              what_there_is(known) + "; a range is all, latest, latest 3 minors, 1.32.x or 1.30.x - 1.32.x");
}

}  // namespace ingot::sweep
