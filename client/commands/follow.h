#pragma once

#include <functional>
#include <memory>

#include "client/render/event_view.h"
#include "client/transport/daemon.h"

namespace ingot::client {

// Shows a job's events until it has ended. A connection that breaks (a daemon that is restarted) is made again for up
// to a minute, at the event where it broke. `go_on` is asked after every event; when it says no, this ends with kind
// `canceled`.
Result<proto::Job> follow_job(Daemon& daemon, const std::string& id, std::uint64_t from, EventView& view,
                              const std::function<bool()>& go_on = {});

// While it lives, Ctrl-C asks the daemon to cancel the job, and a second Ctrl-C ends this program at once.
class CancelOnInterrupt {
 public:
  CancelOnInterrupt(const Daemon& daemon, std::string job, EventView& view);
  ~CancelOnInterrupt();
  CancelOnInterrupt(const CancelOnInterrupt&) = delete;
  CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ingot::client
