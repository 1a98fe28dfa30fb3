#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/mask.h"
#include "daemon/sys/files.h"
#include "proto/types.h"

namespace ingot::jobs {

namespace fs = std::filesystem;

// The append-only event log of one job: logs/<job>.ndjson, one JSON object a line, `seq` counting from 0. One
// writer object a job; append() may be called by several threads.
class JobLog : public std::enable_shared_from_this<JobLog> {
 public:
  ~JobLog();
  // Opens or continues the file; half a line that a crash left is cut off.
  // `total` counts what all logs together take on the disk.
  using Total = std::shared_ptr<std::atomic<std::uint64_t>>;
  static Result<std::shared_ptr<JobLog>> open(const fs::path& path, std::uint64_t max_output_bytes, base::Clock& clock,
                                              Total total = {});

  // From now on these values are hidden in all that is written.
  void hide(std::shared_ptr<const base::Mask> values);
  // Fills in seq and time. Output beyond the cap is dropped after one `cut` event; everything else is always
  // kept.
  void append(proto::Event event);
  // Splits into lines and bounded pieces, keeps binary bytes whole, remembers the step's last lines.
  void append_output(const std::string& step, const std::string& target, const char* stream, std::string_view bytes);
  // The end of a step's output: what was held back of it, and a last line without newline.
  void flush_output(const std::string& step, const std::string& target);
  // The last output of a step (at most 64 KiB), for the error at the end; forgets it.
  std::string take_tail(const std::string& step);
  bool was_cut() const;
  Status sync();
  void close();  // no more events will come; followers are told

  std::uint64_t size() const;  // bytes of whole lines
  bool closed() const;
  // Calls `wake` after each append and at close, on the appending thread, until the returned handle is
  // dropped.
  std::shared_ptr<void> subscribe(std::function<void()> wake);

 private:
  struct State;
  void append_shown(const std::string& step, const std::string& target, const char* stream, std::string_view bytes);
  explicit JobLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Reads whole lines of a log file, at its own pace.
class LogReader {
 public:
  static Result<LogReader> open(const fs::path& path, std::uint64_t from_seq);
  // Whole lines that are there now, at most about `limit` bytes (at least one line); empty: nothing more yet.
  Result<std::string> read(std::size_t limit = 16 << 10);

 private:
  LogReader(sys::UniqueFd fd, std::uint64_t skip) : fd_(std::move(fd)), skip_lines_(skip) {}
  sys::UniqueFd fd_;
  std::uint64_t skip_lines_;
  std::uint64_t offset_ = 0;
};

}  // namespace ingot::jobs
