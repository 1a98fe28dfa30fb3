#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "daemon/sys/cancel.h"
#include "daemon/sys/files.h"
#include "daemon/sys/frames.h"
#include "proto/locally.h"

namespace ingot::client {

// What its user lets a job do on this side.
struct Permission {
  bool locally = false;         // run commands as the user, and read and write files
  std::filesystem::path agent;  // speak to this SSH agent, and ask which keys of hosts are known; empty: neither
};

// What came over one connection to be done, each on a thread of its own. For the thread that reads the connection.
class Errands {
 public:
  // `daemon`: the path of its socket, for what is fetched from it besides.
  Errands(int socket, std::string daemon, std::filesystem::path project, Permission permission)
      : socket_(socket), daemon_(std::move(daemon)), project_(std::move(project)), permission_(std::move(permission)) {}
  ~Errands();  // ends what runs
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  void take(const sys::Frame& frame);

 private:
  struct Errand {
    proto::LocalErrand what;
    sys::CancelSource cancel;
    std::filesystem::path tar;  // give: where it is kept on its way
    sys::UniqueFd tar_file;
    Status received;
    std::deque<std::string> said;  // agent: what is still to be answered; guarded by said_mutex_
    std::thread thread;
    std::atomic<bool> ended = false;
  };
  void begin(std::uint32_t number, const std::string& text);
  void start(std::uint32_t number, Errand& errand);
  void work(std::uint32_t number, Errand& errand);
  proto::LocalOutcome run(std::uint32_t number, Errand& errand);
  Status take_files(std::uint32_t number, Errand& errand);
  Status load(const proto::LocalErrand& errand, const sys::CancelToken& cancel) const;
  Status check_permission(proto::LocalErrand::Kind kind) const;
  void end(Errand& errand);
  void hear(Errand& errand, std::string message);
  Status speak_to_agent(std::uint32_t number, Errand& errand);
  Status tell_known_hosts(std::uint32_t number, Errand& errand);
  Status open_tar(Errand& errand) const;
  std::filesystem::path directory_of(const proto::LocalErrand& errand) const;
  Status send(proto::LocalFrame kind, std::uint32_t number, std::string_view payload);
  void forget_ended();

  const int socket_;
  const std::string daemon_;
  const std::filesystem::path project_;
  const Permission permission_;
  std::mutex send_mutex_;
  std::mutex said_mutex_;
  std::condition_variable something_said_;
  std::map<std::uint32_t, std::unique_ptr<Errand>> errands_;
};

}  // namespace ingot::client
