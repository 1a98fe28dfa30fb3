#include "client/locally/local_side.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "client/locally/errands.h"
#include "client/transport/daemon.h"

namespace ingot::client {

namespace {

// Where the signal handler writes; the only thing that it may do safely.
int signal_pipe = -1;

void on_signal(int number) {
  const int before = errno;
  const char byte = static_cast<char>(number);
  [[maybe_unused]] ssize_t written = write(signal_pipe, &byte, 1);
  errno = before;
}

}  // namespace

class LocalSide::Worker {
 public:
  Worker(std::string socket_path, std::string job, std::filesystem::path project, Permission permission)
      : daemon_(std::move(socket_path)),
        job_(std::move(job)),
        project_(std::move(project)),
        permission_(std::move(permission)) {
    if (pipe2(pipe_.data(), O_CLOEXEC) == 0) {
      signal_pipe = pipe_[1];
      signals_ = std::thread([this] { watch_signals(); });
      struct sigaction action {};
      action.sa_handler = on_signal;
      action.sa_flags = SA_RESTART;
      for (std::size_t i = 0; i < kEnding.size(); ++i) {
        sigaction(kEnding[i], &action, &before_[i]);
        if (before_[i].sa_handler == SIG_IGN) sigaction(kEnding[i], &before_[i], nullptr);  // as under nohup
      }
    }
    worker_ = std::thread([this] {
      work();
      std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    });
  }
  ~Worker() {
    stop();
    worker_.join();
    if (!signals_.joinable()) return;
    for (std::size_t i = 0; i < kEnding.size(); ++i) sigaction(kEnding[i], &before_[i], nullptr);
    const char nothing = 0;
    [[maybe_unused]] ssize_t written = write(pipe_[1], &nothing, 1);
    signals_.join();
    for (int fd : pipe_) close(fd);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

 private:
  static constexpr std::array<int, 2> kEnding = {SIGTERM, SIGHUP};

  // Of this program's end only what the kernel knows would end: a command's shell, and not what that started.
  void watch_signals() {
    constexpr std::chrono::seconds kPatience{3};
    char byte = 0;
    while (read(pipe_[0], &byte, 1) < 0 && errno == EINTR) {
    }
    if (byte == 0) return;
    stop();
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kPatience, [this] { return ended_; });
    }
    signal(byte, SIG_DFL);
    kill(getpid(), byte);
  }

  void stop() {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
    changed_.notify_all();
  }

  void work() {
    constexpr std::chrono::milliseconds kPause{500};
    while (true) {
      auto attached = daemon_.attach(job_);
      if (attached) serve(std::move(*attached));
      // Such as a job that has ended: nothing will be asked any more.
      if (!attached && attached.error().kind != ErrorKind::unavailable) return;
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, kPause, [this] { return stopping_; })) return;
    }
  }

  // Until the connection ends; then what was begun on it ends, too.
  void serve(sys::UniqueFd socket) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      socket_ = socket.get();
    }
    {
      Errands errands(socket.get(), daemon_.socket_path(), project_, permission_);
      const auto ready = sys::send_frame(socket.get(), static_cast<std::uint8_t>(proto::LocalFrame::ready), 0, "");
      while (ready) {
        auto frame = sys::receive_frame(socket.get());
        if (!frame || !*frame) break;
        errands.take(**frame);
      }
      shutdown(socket.get(), SHUT_RDWR);  // who still sends an outcome need not wait
    }
    std::lock_guard lock(mutex_);
    socket_ = -1;
  }

  Daemon daemon_;
  const std::string job_;
  const std::filesystem::path project_;
  const Permission permission_;
  std::array<int, 2> pipe_{-1, -1};
  std::array<struct sigaction, kEnding.size()> before_{};
  std::mutex mutex_;  // guards the next three
  std::condition_variable changed_;
  bool stopping_ = false;
  bool ended_ = false;  // the worker
  int socket_ = -1;
  std::thread signals_;
  std::thread worker_;
};

LocalSide::LocalSide(const std::string& socket_path, const proto::Job& job, const std::filesystem::path& project) {
  if (!job.spec.locally && !job.spec.ssh) return;
  const char* agent = std::getenv("SSH_AUTH_SOCK");
  worker_ = std::make_unique<Worker>(
      socket_path, job.id, std::filesystem::absolute(project),
      Permission{job.spec.locally, job.spec.ssh && agent != nullptr ? std::filesystem::path(agent) : ""});
}

LocalSide::~LocalSide() = default;

}  // namespace ingot::client
