#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "daemon/store/leases.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/process.h"

namespace ingot::solver {

// How a step's result came to be.
enum class Origin { executed, same_inputs, same_content };

struct StepResult {
  store::Lease snapshot;
  Origin origin = Origin::executed;
  std::optional<Error> failure = {};  // of a step that keeps what it wrote though it fails
};

// What a waiter is told, on the flight's thread. None of it is called any more once the waiter has left.
struct FlightListener {
  std::function<void()> started;  // it has its room and runs; not called when the cache had it
  std::function<void(sys::Stream, std::string_view)> output;
  std::function<void(const Result<StepResult>&)> landed;  // at most once, as the last
};

// Equal steps that are wanted at the same time run once, each on a thread of its own. Whoever wants one joins its
// flight and is told what it printed so far; the last to leave ends it. Thread-safe.
class Flights {
 public:
  // What the flight itself sees.
  struct Cockpit {
    std::function<void()> started;
    sys::OutputSink output;
    sys::CancelToken cancel;
  };
  using Run = std::function<Result<StepResult>(const Cockpit&)>;

  // One who waits. Its end is its leaving, and waits for a flight that is ended by it.
  class Seat {
   public:
    virtual ~Seat() = default;
    virtual void leave() = 0;  // the same without waiting
  };

  Flights() = default;
  ~Flights();  // waits until the last has landed; nobody has a seat any more
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  // `joined` says whether it was under way already.
  std::unique_ptr<Seat> join(const std::string& key, const Run& run, FlightListener listener, bool& joined);

 private:
  struct Flight;
  class FlightSeat;
  void fly(const std::string& key, const std::shared_ptr<Flight>& flight, const Run& run);
  static void land(Flight& flight, const Result<StepResult>& result);
  bool leave(const std::shared_ptr<Flight>& flight, std::uint64_t seat);
  void wait_for(const Flight& flight);

  std::mutex mutex_;  // before a flight's own
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Flight>> under_way_;
  unsigned in_the_air_ = 0;
};

}  // namespace ingot::solver
