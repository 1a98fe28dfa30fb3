#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What a daemon counts, and the text in which Prometheus reads it. Whoever does the work owns its counters (atomics and
// Histograms), so that counting costs no lookup; at a scrape they are all written down by one function.
namespace ingot::base {

// How many observations fell at or below each of some bounds. Thread-safe, without locks: a scrape in the midst of an
// observation may see its bucket before its sum.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);  // ascending; one bucket more is for all above
  void observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  std::vector<std::uint64_t> buckets() const;  // not cumulated; the last is for what is above every bound
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
  std::atomic<double> sum_ = 0;
};

// From a tenth of a second to a day: what builds take, or wait.
std::vector<double> duration_bounds();

// Writes the text format, version 0.0.4.
class MetricsText {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  enum class Type { counter, gauge };

  // The samples that follow belong to it.
  MetricsText& family(Type type, const std::string& name, const std::string& help);
  MetricsText& sample(std::uint64_t value, const Labels& labels = {});
  MetricsText& histogram(const std::string& name, const std::string& help, const Histogram& histogram);

  const std::string& text() const { return text_; }

  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  void head(const std::string& name, const char* type, const std::string& help);
  std::string name_;
  std::string text_;
};

}  // namespace ingot::base
