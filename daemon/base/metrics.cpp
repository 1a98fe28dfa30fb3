#include "daemon/base/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace ingot::base {

namespace {

// What could end a label's quoted text, or the line.
std::string escaped(const std::string& text) {
  std::string safe;
  for (char c : text) {
    if (c == '\\' || c == '"') safe += '\\';
    if (c == '\n')
      safe += "\\n";
    else
      safe += c;
  }
  return safe;
}

std::string in_braces(const MetricsText::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escaped(value));
  }
  return text.empty() ? "" : "{" + text + "}";
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  buckets_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::buckets() const {
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) counts.push_back(buckets_[i].load(std::memory_order_relaxed));
  return counts;
}

std::vector<double> duration_bounds() {
  return {0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 43200, 86400};
}

void MetricsText::head(const std::string& name, const char* type, const std::string& help) {
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

MetricsText& MetricsText::family(Type type, const std::string& name, const std::string& help) {
  name_ = name;
  head(name, type == Type::counter ? "counter" : "gauge", help);
  return *this;
}

MetricsText& MetricsText::sample(std::uint64_t value, const Labels& labels) {
  text_ += fmt::format("{}{} {}\n", name_, in_braces(labels), value);
  return *this;
}

MetricsText& MetricsText::histogram(const std::string& name, const std::string& help, const Histogram& histogram) {
  head(name, "histogram", help);
  const auto counts = histogram.buckets();
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    const std::string bound = i < histogram.bounds().size() ? fmt::format("{}", histogram.bounds()[i]) : "+Inf";
    text_ += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bound, below);
  }
  text_ += fmt::format("{}_sum {}\n{}_count {}\n", name, histogram.sum(), name, below);
  return *this;
}

}  // namespace ingot::base
