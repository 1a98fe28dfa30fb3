#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/jobs/job_log.h"

namespace ingot::jobs {

Result<LogReader> LogReader::open(const fs::path& path, std::uint64_t from_seq) {
  INGOT_TRY(auto fd, sys::open_file(path, O_RDONLY));
  return LogReader(std::move(fd), from_seq);
}

Result<std::string> LogReader::read(std::size_t limit) {
  std::string chunk;
  while (true) {
    const std::size_t had = chunk.size();
    chunk.resize(had + limit);
    ssize_t got = pread(fd_.get(), chunk.data() + had, limit, static_cast<off_t>(offset_ + had));
    if (got < 0 && errno == EINTR) got = 0;
    if (got < 0) return base::fail_errno(errno, "cannot read a job's log");
    chunk.resize(had + static_cast<std::size_t>(got));

    std::size_t skipped = 0;
    while (skip_lines_ > 0) {
      std::size_t newline = chunk.find('\n', skipped);
      if (newline == std::string::npos) break;
      skipped = newline + 1;
      --skip_lines_;
    }
    chunk.erase(0, skipped);
    offset_ += skipped;

    std::size_t last_newline = skip_lines_ > 0 ? std::string::npos : chunk.rfind('\n');
    if (last_newline != std::string::npos) {
      chunk.resize(last_newline + 1);
      offset_ += chunk.size();
      return chunk;
    }
    // A line longer than the limit: go on reading until it is whole.
    if (got == 0) return std::string();
  }
}

}  // namespace ingot::jobs
