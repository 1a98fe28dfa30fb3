#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/lookout.h"
#include "daemon/sys/process.h"
#include "daemon/webhook/delivery_table.h"
#include "daemon/webhook/hook.h"
#include "proto/sweep.h"

namespace ingot::webhook {

// Tells hooks of sweeps that ended, and of schedules that failed: by a POST of JSON, again and again with growing
// pauses until somebody takes it or a day has passed. Nobody waits for it, and what is not delivered when the daemon
// stops is delivered by the next one. Thread-safe.
class Webhooks {
 public:
  using FindSweep = std::function<Result<proto::Sweep>(const std::string& id)>;  // with its cells
  struct Parts {
    DeliveryTable table;
    base::Clock& clock;
    sys::ProcessRunner& processes;
    std::filesystem::path directory;  // for what curl is given
    FindSweep find_sweep;
  };
  explicit Webhooks(Parts parts) : parts_(std::move(parts)) {}
  ~Webhooks() { stop(); }

  void set_hooks(std::vector<Hook> hooks);
  void start();
  void stop();
  void sweep_ended();
  void schedule_failed(const std::string& schedule, const std::string& problem);
  Result<std::uint64_t> waiting() const { return parts_.table.waiting(); }

  // Delivers what is due. How long until something is due again; none: there is nothing.
  std::optional<std::chrono::milliseconds> look();

 private:
  std::vector<Hook> hooks() const;
  std::vector<std::string> urls_of(const std::string& name) const;
  Status take_endings();
  Status take(const DeliveryTable::Ending& ending);
  Status settle(const Delivery& delivery);
  Status deliver(const Delivery& delivery, const Hook& hook);

  Parts parts_;
  sys::CancelSource cancel_;
  mutable std::mutex mutex_;  // guards the next
  std::vector<Hook> hooks_;
  base::Lookout lookout_;
};

}  // namespace ingot::webhook
