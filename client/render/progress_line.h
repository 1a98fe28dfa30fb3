#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace ingot::client {

// How far a long transfer is: one line on stderr that is written over, only when stderr is a terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // What is to be called as bytes arrive.
  std::function<void(std::uint64_t done, std::uint64_t total)> of(const std::string& name);
  void clear();

  static std::string text(const std::string& name, std::uint64_t done, std::uint64_t total);

 private:
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace ingot::client
