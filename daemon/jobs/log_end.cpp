#include "daemon/jobs/log_end.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "proto/codec.h"

namespace ingot::jobs {

namespace {

// The last line of the file, when it is whole and short enough to be a state event; else "".
std::string last_line(int fd) {
  constexpr off_t kLongestEvent = 1 << 20;
  const off_t size = lseek(fd, 0, SEEK_END);
  const off_t start = std::max<off_t>(0, size - kLongestEvent);
  std::string text(static_cast<std::size_t>(size - start), '\0');
  ssize_t got = pread(fd, text.data(), text.size(), start);
  if (got <= 0) return {};
  text.resize(static_cast<std::size_t>(got));
  if (!text.ends_with('\n')) return {};
  text.pop_back();
  return text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
}

bool is_final_state(const std::string& line) {
  auto parsed = proto::parse_json(line);
  if (!parsed) return false;
  auto event = proto::event_from_json(*parsed);
  return event && event->type == proto::EventType::state && event->state && proto::is_final(*event->state);
}

}  // namespace

Result<bool> has_log_end(const fs::path& path) {
  auto fd = sys::open_file(path, O_RDONLY);
  if (!fd && fd.error().kind != ErrorKind::not_found) return base::fail(fd.error());
  return fd && is_final_state(last_line(fd->get()));
}

Status ensure_log_end(const fs::path& path, proto::Event end, base::Clock& clock, JobLog::Total total) {
  INGOT_TRY(bool has_end, has_log_end(path));
  if (has_end) return {};
  INGOT_TRY(auto log, JobLog::open(path, std::numeric_limits<std::uint64_t>::max(), clock, std::move(total)));
  log->append(std::move(end));
  log->close();
  return {};
}

}  // namespace ingot::jobs
