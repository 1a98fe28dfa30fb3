#include "daemon/image/transfer_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"

namespace ingot::image {

namespace {

using sys::fs::path;

constexpr int kBetweenLooks = 1000;  // milliseconds

std::string short_name(const std::string& name) {
  constexpr std::size_t kShown = 12;
  return name.substr(0, kShown);
}

// How far the files of a directory were read that one process has open, by name.
void add_positions(const path& process, const path& directory, std::map<std::string, std::uint64_t>& positions) {
  std::error_code error;
  for (sys::fs::directory_iterator fd(process / "fd", error), end; !error && fd != end; fd.increment(error)) {
    std::error_code unread;
    const path file = sys::fs::read_symlink(fd->path(), unread);
    if (unread || file.parent_path() != directory) continue;
    std::ifstream info(process / "fdinfo" / fd->path().filename());
    std::string key;
    std::uint64_t position = 0;
    if (info >> key >> position && key == "pos:") positions[file.filename()] = position;
  }
}

// The same of all the programs that this one started. The kernel lists them by the thread that did.
std::map<std::string, std::uint64_t> positions_in(const path& directory) {
  std::map<std::string, std::uint64_t> positions;
  std::error_code error;
  for (sys::fs::directory_iterator task("/proc/self/task", error), end; !error && task != end; task.increment(error)) {
    std::ifstream children(task->path() / "children");
    std::string id;
    while (children >> id) add_positions(path("/proc") / id, directory, positions);
  }
  return positions;
}

}  // namespace

// A host without inotify to spare only tells less.
TransferWatch::TransferWatch(const sys::fs::path& directory, std::map<std::string, std::uint64_t> files,
                             Progress progress)
    : directory_(directory),
      files_(std::move(files)),
      progress_(std::move(progress)),
      events_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      end_(eventfd(0, EFD_CLOEXEC)) {
  if (!events_ || !end_ || inotify_add_watch(events_.get(), directory.c_str(), IN_OPEN | IN_CLOSE_NOWRITE) < 0) {
    base::log::debug("cannot watch {}", directory.string());
    return;
  }
  thread_ = std::thread([this] { run(); });
}

TransferWatch::~TransferWatch() {
  stop();
}

std::uint64_t TransferWatch::stop() {
  if (thread_.joinable()) {
    eventfd_write(end_.get(), 1);
    thread_.join();
  }
  std::uint64_t bytes = 0;
  for (const auto& name : read_) bytes += files_.at(name);
  return bytes;
}

void TransferWatch::run() {
  while (true) {
    std::array<pollfd, 2> wait = {{{events_.get(), POLLIN, 0}, {end_.get(), POLLIN, 0}}};
    const bool under_way = read_.size() > done_.size();
    const int ready = poll(wait.data(), wait.size(), under_way ? kBetweenLooks : -1);
    if (ready < 0) continue;
    take_events();
    if (ready == 0) tell_how_far();
    if ((wait[1].revents & POLLIN) != 0) return;
  }
}

void TransferWatch::take_events() {
  constexpr std::size_t kRoom = 16 << 10;
  alignas(inotify_event) std::array<char, kRoom> buffer{};
  while (true) {
    const ssize_t size = read(events_.get(), buffer.data(), buffer.size());
    if (size <= 0) return;
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if (event->len == 0 || !files_.contains(event->name)) continue;
      (event->mask & IN_OPEN) != 0 ? opened(event->name) : closed(event->name);
    }
  }
}

void TransferWatch::opened(const std::string& name) {
  if (!read_.insert(name).second) return;  // once more, after a failure
  progress_(fmt::format("sending layer {}, {}", short_name(name), base::human_bytes(files_.at(name))));
}

void TransferWatch::closed(const std::string& name) {
  if (done_.insert(name).second) tell_how_far();
}

void TransferWatch::tell_how_far() {
  const auto positions =
      done_.size() < read_.size() ? positions_in(directory_) : std::map<std::string, std::uint64_t>();
  std::uint64_t sent = 0;
  std::uint64_t all = 0;
  for (const auto& file : read_) {
    all += files_.at(file);
    const auto position = positions.find(file);
    if (done_.contains(file))
      sent += files_.at(file);
    else if (position != positions.end())
      sent += position->second;
  }
  if (sent == told_) return;
  told_ = sent;
  progress_(fmt::format("sent {} of {}", base::human_bytes(sent), base::human_bytes(all)));
}

}  // namespace ingot::image
