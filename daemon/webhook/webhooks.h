#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/sys/process.h"
#include "daemon/webhook/delivery_table.h"
#include "daemon/webhook/hook.h"

namespace ingot::webhook {

// Tells hooks of sweeps that ended: by a POST of JSON, again and again with growing pauses until somebody takes it or a
// day has passed. Nobody waits for it, and what is not delivered when the daemon stops is delivered by the next one.
// Thread-safe.
class Webhooks {
 public:
  // What is sent of a sweep: JSON.
  using Describe = std::function<Result<std::string>(const std::string& sweep)>;
  struct Parts {
    DeliveryTable table;
    base::Clock& clock;
    sys::ProcessRunner& processes;
    std::filesystem::path directory;  // for what curl is given
    Describe describe;
  };
  explicit Webhooks(Parts parts) : parts_(std::move(parts)) {}
  ~Webhooks() { stop(); }

  void set_hooks(std::vector<Hook> hooks);
  void start();
  void stop();
  void sweep_ended();
  Result<std::uint64_t> waiting() const { return parts_.table.waiting(); }

  // Delivers what is due. How long until something is due again; none: there is nothing.
  std::optional<std::chrono::milliseconds> look();

 private:
  std::vector<Hook> hooks() const;
  std::vector<std::string> urls_of(const std::string& sweep_name) const;
  Status settle(const Delivery& delivery);
  Status deliver(const Delivery& delivery, const Hook& hook, const std::string& body);
  void loop();  // a thread

  Parts parts_;
  sys::CancelSource cancel_;
  mutable std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  std::vector<Hook> hooks_;
  bool stop_ = false;
  bool is_new_ = false;
  std::thread thread_;
};

}  // namespace ingot::webhook
