#include "daemon/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace ingot::base::log {

namespace {

std::atomic<Level> threshold{Level::info};
std::atomic<bool> for_journal{false};

// systemd says in JOURNAL_STREAM which device and inode its journal socket has; only when stderr is that very
// socket do lines go to the journal.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

const char* journal_priority(Level level) {
  switch (level) {
    case Level::trace:
    case Level::debug:
      return "<7>";
    case Level::info:
      return "<6>";
    case Level::warning:
      return "<4>";
    case Level::error:
      return "<3>";
  }
  return "<6>";
}

spdlog::logger& logger() {
  static auto instance = [] {
    auto made = spdlog::stderr_logger_mt("ingotd");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

}  // namespace

const std::vector<std::string>& level_names() {
  static const std::vector<std::string> kNames = {"trace", "debug", "info", "warning", "error"};
  return kNames;
}

std::optional<Level> level_from_name(std::string_view name) {
  for (std::size_t i = 0; i < level_names().size(); ++i) {
    if (level_names()[i] == name) return static_cast<Level>(i);
  }
  return std::nullopt;
}

void set_up(Level level) {
  set_level(level);
  for_journal = stderr_is_journal();
  logger().set_pattern(for_journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
}

void set_level(Level level) {
  threshold = level;
}

bool enabled(Level level) {
  return level >= threshold.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view text) {
  if (for_journal) {
    logger().log(to_spdlog(level), "{}{}", journal_priority(level), text);
  } else {
    logger().log(to_spdlog(level), "{}", text);
  }
}

}  // namespace ingot::base::log
