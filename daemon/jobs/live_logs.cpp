#include "daemon/jobs/live_logs.h"

#include "daemon/base/log.h"
#include "daemon/jobs/job_events.h"
#include "daemon/jobs/log_end.h"

namespace ingot::jobs {

Result<std::shared_ptr<JobLog>> LiveLogs::open(const std::string& id) {
  std::lock_guard lock(mutex_);
  if (auto open = open_[id].lock()) return open;
  INGOT_TRY(auto opened, JobLog::open(path_of(id), max_output_bytes_, clock_, bytes_));
  // The job ended since it was asked for: nobody else would close this one, and who follows it would wait for ever.
  INGOT_TRY(bool has_end, has_log_end(path_of(id)));
  if (has_end) opened->close();
  open_[id] = opened;
  return opened;
}

std::shared_ptr<JobLog> LiveLogs::find(const std::string& id) const {
  std::lock_guard lock(mutex_);
  auto found = open_.find(id);
  return found == open_.end() ? nullptr : found->second.lock();
}

void LiveLogs::tell(const std::string& id, proto::Event event) {
  auto opened = open(id);
  if (!opened) {
    base::log::error("log of job {}: {}", id, opened.error().message);
    return;
  }
  (*opened)->append(std::move(event));
}

void LiveLogs::end(const std::string& id, proto::JobState state, const std::optional<Error>& error) {
  if (auto opened = open(id)) {
    (*opened)->append(state_event(state, error));
    (*opened)->close();
  }
  std::lock_guard lock(mutex_);
  open_.erase(id);
}

Result<LogReader> LiveLogs::read(const std::string& id, std::uint64_t from_seq) const {
  return LogReader::open(path_of(id), from_seq);
}

// A daemon that died between the job's last row and its last event left the log without an end.
Result<LogReader> LiveLogs::read_ended(const proto::Job& job, std::uint64_t from_seq) const {
  INGOT_CHECK(ensure_log_end(path_of(job.id), state_event(job.state, job.error), clock_, bytes_));
  return read(job.id, from_seq);
}

void LiveLogs::remove(const std::string& id) const {
  std::error_code error;
  const auto bytes = fs::file_size(path_of(id), error);
  if (!error && fs::remove(path_of(id), error)) *bytes_ -= sys::disk_bytes(bytes);
}

// What is left says how the job ended: who waits for the job gets his answer.
Status LiveLogs::shorten(const proto::Job& job, const std::string& note) const {
  remove(job.id);
  INGOT_TRY(auto rest, JobLog::open(path_of(job.id), max_output_bytes_, clock_, bytes_));
  rest->append(note_event(note));
  rest->append(state_event(job.state, job.error));
  rest->close();
  return {};
}

void LiveLogs::count() const {
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    if (const auto bytes = entry->file_size(gone); !gone) *bytes_ += sys::disk_bytes(bytes);
  }
}

}  // namespace ingot::jobs
