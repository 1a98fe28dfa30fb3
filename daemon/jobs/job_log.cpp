#include "daemon/jobs/job_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/jobs/output_splitter.h"
#include "proto/codec.h"

namespace ingot::jobs {

namespace {

constexpr std::size_t kTailBytes = 64 << 10;

struct FileEnd {
  std::uint64_t lines = 0;
  std::uint64_t size = 0;  // of whole lines
};

// Counts the lines; what follows the last newline was being written when the daemon died.
Result<FileEnd> scan(int fd, const fs::path& path) {
  FileEnd end;
  std::vector<char> buffer(1 << 20);
  std::uint64_t offset = 0;
  while (true) {
    ssize_t got = pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "cannot read log " + path.string());
    if (got == 0) return end;
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[static_cast<std::size_t>(i)] != '\n') continue;
      ++end.lines;
      end.size = offset + static_cast<std::uint64_t>(i) + 1;
    }
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

struct JobLog::State {
  fs::path path;
  base::Clock& clock;
  std::uint64_t max_output_bytes = 0;
  Total total;

  mutable std::mutex mutex;  // guards all below
  sys::UniqueFd fd;
  std::uint64_t next_seq = 0;
  std::uint64_t size = 0;
  std::uint64_t output_bytes = 0;
  bool cut = false;
  bool closed = false;
  std::string why_missing;    // of what could not be written, and is not in the log
  std::uint64_t missing = 0;  // events
  std::map<std::pair<std::string, std::string>, OutputSplitter> splitters;   // by step and stream
  std::map<std::string, std::string> tails;                                  // by step
  std::shared_ptr<const base::Mask> mask;                                    // null: nothing is hidden
  std::map<std::pair<std::string, std::string>, base::MaskedStream> masked;  // by step and stream
  std::map<std::uint64_t, std::function<void()>> subscribers;
  std::uint64_t next_subscriber = 0;

  State(fs::path where, base::Clock& time) : path(std::move(where)), clock(time) {}

  std::string encode(proto::Event& event) {
    event.seq = next_seq++;
    event.time_ms = clock.unix_ms();
    return proto::dump(proto::to_json(event)) + "\n";
  }

  // A log that cannot be written (disk full) must not end the build: it is said once, and the job goes on. `first` is
  // the sequence number of the first line, which the next event takes over, so that the numbers have no gap.
  void write(const std::string& lines, std::uint64_t first) {
    if (put(lines)) return;
    missing += next_seq - first;
    next_seq = first;
  }

  // Before anything else is written: who reads the log is to know that something is not in it.
  void tell_what_is_missing() {
    if (missing == 0) return;
    proto::Event note;
    note.text = fmt::format("{} events are missing here: {}", missing, why_missing);
    const std::uint64_t first = next_seq;
    if (put(encode(note)))
      missing = 0;
    else
      next_seq = first;
  }

  bool put(const std::string& lines) {
    if (auto written = sys::write_all(fd.get(), lines); !written) {
      if (missing == 0) base::log::error("log {}: {}", path.string(), written.error().message);
      why_missing = written.error().message;
      if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
        base::log::error("log {}: half a line stays in it: {}", path.string(), std::strerror(errno));
      }
      return false;
    }
    count(size, size + lines.size());
    size += lines.size();
    return true;
  }

  // In whole blocks, as the disk has it.
  void count(std::uint64_t from, std::uint64_t to) const {
    if (total) *total += sys::disk_bytes(to) - sys::disk_bytes(from);
  }

  std::vector<std::function<void()>> to_wake() const {
    std::vector<std::function<void()>> wakes;
    wakes.reserve(subscribers.size());
    for (const auto& [id, wake] : subscribers) wakes.push_back(wake);
    return wakes;
  }
};

JobLog::JobLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
JobLog::~JobLog() = default;

Result<std::shared_ptr<JobLog>> JobLog::open(const fs::path& path, std::uint64_t max_output_bytes, base::Clock& clock,
                                             Total total) {
  auto state = std::make_unique<State>(path, clock);
  state->total = std::move(total);
  state->max_output_bytes = max_output_bytes;
  INGOT_TRY(state->fd, sys::open_file(path, O_RDWR | O_CREAT | O_APPEND, 0640));
  INGOT_TRY(FileEnd end, scan(state->fd.get(), path));
  struct stat before {};
  if (fstat(state->fd.get(), &before) != 0 || ftruncate(state->fd.get(), static_cast<off_t>(end.size)) != 0) {
    return base::fail_errno(errno, "cannot mend log " + path.string());
  }
  state->count(static_cast<std::uint64_t>(before.st_size), end.size);
  state->next_seq = end.lines;
  state->size = end.size;
  state->output_bytes = end.size;
  return std::shared_ptr<JobLog>(new JobLog(std::move(state)));
}

void JobLog::hide(std::shared_ptr<const base::Mask> values) {
  std::lock_guard lock(state_->mutex);
  state_->masked.clear();
  state_->mask = std::move(values);
}

void JobLog::append(proto::Event event) {
  std::vector<std::function<void()>> wakes;
  {
    std::lock_guard lock(state_->mutex);
    if (state_->closed) return;
    if (state_->mask) {
      if (event.type != proto::EventType::output) event.text = state_->mask->apply(event.text);
      if (event.error) event.error = state_->mask->apply(std::move(*event.error));
    }
    state_->tell_what_is_missing();
    const std::uint64_t first = state_->next_seq;
    state_->write(state_->encode(event), first);
    wakes = state_->to_wake();
  }
  for (const auto& wake : wakes) wake();
}

void JobLog::append_output(const std::string& step, const std::string& target, const char* stream,
                           std::string_view bytes) {
  std::string shown;
  {
    std::lock_guard lock(state_->mutex);
    if (state_->mask) {
      shown = state_->masked.try_emplace({step, stream}, state_->mask).first->second.add(bytes);
      bytes = shown;
    }
  }
  if (!bytes.empty()) append_shown(step, target, stream, bytes);
}

void JobLog::append_shown(const std::string& step, const std::string& target, const char* stream,
                          std::string_view bytes) {
  std::vector<std::function<void()>> wakes;
  {
    std::lock_guard lock(state_->mutex);
    if (state_->closed) return;
    std::string& tail = state_->tails[step];
    tail.append(bytes.substr(bytes.size() > kTailBytes ? bytes.size() - kTailBytes : 0));
    if (tail.size() > 2 * kTailBytes) tail.erase(0, tail.size() - kTailBytes);
    if (state_->cut) return;

    state_->tell_what_is_missing();
    const std::uint64_t first = state_->next_seq;
    std::string lines;
    for (auto& piece : state_->splitters[{step, stream}].add(bytes)) {
      proto::Event event;
      event.type = proto::EventType::output;
      event.step = step;
      event.target = target;
      event.stream = stream;
      event.partial = piece.partial;
      (piece.binary ? event.bytes : event.text) = std::move(piece.text);
      lines += state_->encode(event);
      if (state_->output_bytes + lines.size() < state_->max_output_bytes) continue;
      proto::Event mark;
      mark.type = proto::EventType::cut;
      mark.text = "the log has reached its limit of " + base::human_bytes(state_->max_output_bytes) +
                  ": further output is dropped (limits.log in the daemon's configuration)";
      lines += state_->encode(mark);
      state_->cut = true;
      break;
    }
    state_->output_bytes += lines.size();
    state_->write(lines, first);
    wakes = state_->to_wake();
  }
  for (const auto& wake : wakes) wake();
}

void JobLog::flush_output(const std::string& step, const std::string& target) {
  for (const char* stream : {"stdout", "stderr"}) {
    std::string held;
    {
      std::lock_guard lock(state_->mutex);
      if (auto masked = state_->masked.extract({step, stream})) held = masked.mapped().finish();
    }
    if (!held.empty()) append_shown(step, target, stream, held);
    std::vector<OutputPiece> pieces;
    {
      std::lock_guard lock(state_->mutex);
      auto splitter = state_->splitters.find({step, stream});
      if (splitter == state_->splitters.end()) continue;
      pieces = splitter->second.finish();
      state_->splitters.erase(splitter);
      if (state_->cut) continue;
    }
    for (auto& piece : pieces) {
      proto::Event event;
      event.type = proto::EventType::output;
      event.step = step;
      event.target = target;
      event.stream = stream;
      (piece.binary ? event.bytes : event.text) = std::move(piece.text);
      append(std::move(event));
    }
  }
}

std::string JobLog::take_tail(const std::string& step) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->tails.find(step);
  if (found == state_->tails.end()) return {};
  std::string tail = std::move(found->second);
  state_->tails.erase(found);
  if (tail.size() <= kTailBytes) return tail;
  tail.erase(0, tail.size() - kTailBytes);
  // Begin with a whole line where there is one.
  if (std::size_t newline = tail.find('\n'); newline != std::string::npos) tail.erase(0, newline + 1);
  return tail;
}

bool JobLog::was_cut() const {
  std::lock_guard lock(state_->mutex);
  return state_->cut;
}

Status JobLog::sync() {
  std::lock_guard lock(state_->mutex);
  if (fdatasync(state_->fd.get()) != 0) return base::fail_errno(errno, "cannot sync log " + state_->path.string());
  return {};
}

void JobLog::close() {
  std::vector<std::function<void()>> wakes;
  {
    std::lock_guard lock(state_->mutex);
    state_->closed = true;
    wakes = state_->to_wake();
  }
  for (const auto& wake : wakes) wake();
}

std::uint64_t JobLog::size() const {
  std::lock_guard lock(state_->mutex);
  return state_->size;
}

bool JobLog::closed() const {
  std::lock_guard lock(state_->mutex);
  return state_->closed;
}

std::shared_ptr<void> JobLog::subscribe(std::function<void()> wake) {
  std::lock_guard lock(state_->mutex);
  std::uint64_t id = state_->next_subscriber++;
  state_->subscribers[id] = std::move(wake);
  return {static_cast<void*>(nullptr), [log = weak_from_this(), id](void*) {
            auto alive = log.lock();
            if (!alive) return;
            std::lock_guard guard(alive->state_->mutex);
            alive->state_->subscribers.erase(id);
          }};
}

}  // namespace ingot::jobs
