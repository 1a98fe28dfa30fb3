#pragma once

#include <atomic>
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

// What came over one connection to be done, each on a thread of its own. For the thread that reads the connection.
class Errands {
 public:
  Errands(int socket, std::filesystem::path project) : socket_(socket), project_(std::move(project)) {}
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
    std::thread thread;
    std::atomic<bool> ended = false;
  };
  void begin(std::uint32_t number, const std::string& text);
  void start(std::uint32_t number, Errand& errand);
  void work(std::uint32_t number, Errand& errand);
  proto::LocalOutcome run(std::uint32_t number, Errand& errand);
  Status take_files(std::uint32_t number, Errand& errand);
  Status open_tar(Errand& errand) const;
  std::filesystem::path directory_of(const proto::LocalErrand& errand) const;
  Status send(proto::LocalFrame kind, std::uint32_t number, std::string_view payload);
  void forget_ended();

  const int socket_;
  const std::filesystem::path project_;
  std::mutex send_mutex_;
  std::map<std::uint32_t, std::unique_ptr<Errand>> errands_;
};

}  // namespace ingot::client
