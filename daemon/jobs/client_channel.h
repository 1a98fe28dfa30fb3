#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/files.h"
#include "daemon/sys/frames.h"
#include "proto/locally.h"

namespace ingot::jobs {

// The connection to a client that waits for its job, and does meanwhile what LOCALLY asks of it, and passes on what is
// said to its user's SSH agent. Thread-safe.
class ClientChannel {
 public:
  explicit ClientChannel(sys::UniqueFd socket);
  ~ClientChannel();
  ClientChannel(const ClientChannel&) = delete;
  ClientChannel& operator=(const ClientChannel&) = delete;

  bool is_open() const;   // and the client at its other end
  bool is_ready() const;  // the client has said so
  void close();           // whoever waits for an errand hears that the client is gone

  struct Wanted {
    proto::LocalErrand errand;
    std::optional<sys::fs::path> tar;  // give: what is sent
    // What comes before the outcome: bytes of a tar, and what a command prints. An error of it ends the errand.
    std::function<Status(proto::LocalFrame kind, std::string_view bytes)> take;
    std::chrono::milliseconds time_limit{0};  // 0: none
  };
  // Until it is done. Kind `unavailable` when the client goes, `canceled`, `timed_out`.
  Result<proto::LocalOutcome> run(const Wanted& wanted, const sys::CancelToken& cancel);

  // An errand on which both sides speak in turn, for as long as this lives; of one thread.
  class Talk {
   public:
    ~Talk();  // the client is told that nobody needs it any more
    Talk(const Talk&) = delete;
    Talk& operator=(const Talk&) = delete;
    // What the client answers. Kind `unavailable` when it goes, `canceled`; else in its own words why it cannot.
    Result<std::string> ask(std::string_view what, const sys::CancelToken& cancel);

   private:
    friend class ClientChannel;
    Talk(ClientChannel& channel, std::uint32_t number) : channel_(channel), number_(number) {}
    ClientChannel& channel_;  // outlives it
    const std::uint32_t number_;
    bool ended_ = false;  // the client has said so
  };
  Result<std::unique_ptr<Talk>> begin(const proto::LocalErrand& errand, const sys::CancelToken& cancel);

 private:
  struct Errand {
    std::deque<sys::Frame> inbox;
    std::size_t bytes = 0;  // of the inbox
  };
  struct Heard {
    std::optional<sys::Frame> frame;  // none: nothing, for a moment
    bool was_last = false;            // the client is gone, and all that it said was heard
  };
  // For how long somebody wants an errand done.
  struct Patience {
    const sys::CancelToken& cancel;
    std::chrono::milliseconds limit{0};  // 0: none
    std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
    bool is_over() const { return cancel.canceled() || std::chrono::steady_clock::now() > until; }
  };
  void read();
  Status send(proto::LocalFrame kind, std::uint32_t number, std::string_view payload, const Patience& patience);
  Status send_tar(std::uint32_t number, const sys::fs::path& tar, const Patience& patience);
  Result<proto::LocalOutcome> wait(const Wanted& wanted, std::uint32_t number, const Patience& patience);
  Heard next(std::uint32_t number);
  bool has_heard(std::uint32_t number) const;  // something that nobody has looked at yet
  Result<std::uint32_t> enter();               // the number of a new errand
  void leave(std::uint32_t number);

  const sys::UniqueFd socket_;
  std::mutex send_mutex_;  // held for a whole frame
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint32_t, Errand> errands_;  // under way, by number
  std::uint32_t last_ = 0;
  bool open_ = true;
  bool ready_ = false;
  std::thread reader_;
};

// Those of all jobs. Thread-safe.
class ClientChannels {
 public:
  explicit ClientChannels(std::size_t most_waiting = 512) : most_waiting_(most_waiting) {}
  // Kind `unavailable` while the job has another client, and for one that waits in the queue when there are too many.
  Status check_room(const std::string& job, bool is_running);
  // Closes the connection when another client was quicker.
  void attach(const std::string& job, sys::UniqueFd socket);
  // Of a job that runs: its client may still be on its way here, or on its way back. Kind `unavailable` when it does
  // not come.
  Result<std::shared_ptr<ClientChannel>> get(const std::string& job, const sys::CancelToken& cancel);
  void end(const std::string& job);  // it has ended, and needs no client

 private:
  void drop_closed();

  const std::size_t most_waiting_;  // clients whose jobs may still be in the queue
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<ClientChannel>> channels_;
};

}  // namespace ingot::jobs
