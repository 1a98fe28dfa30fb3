#include "daemon/solver/flights.h"

#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace ingot::solver {

namespace {
// What a late waiter is told of earlier output; the log of who came first has all of it.
constexpr std::size_t kRemembered = 4U << 20;
}  // namespace

struct Flights::Flight {
  std::string key;
  sys::CancelSource cancel;
  // Held while listeners are told, so that one who has left is told nothing.
  std::mutex mutex;
  std::map<std::uint64_t, FlightListener> listeners;
  std::uint64_t next_seat = 1;
  bool started = false;
  bool landed = false;
  bool gone = false;  // its thread has nothing any more; guarded by the table's mutex
  std::vector<std::pair<sys::Stream, std::string>> said;
  std::size_t said_bytes = 0;
};

class Flights::FlightSeat : public Seat {
 public:
  FlightSeat(Flights& flights, std::shared_ptr<Flight> flight, std::uint64_t number)
      : flights_(flights), flight_(std::move(flight)), number_(number) {}
  ~FlightSeat() override {
    FlightSeat::leave();
    if (ended_) flights_.wait_for(*flight_);
  }
  void leave() override {
    if (std::exchange(left_, true)) return;
    ended_ = flights_.leave(flight_, number_);
  }
  FlightSeat(const FlightSeat&) = delete;
  FlightSeat& operator=(const FlightSeat&) = delete;

 private:
  Flights& flights_;
  std::shared_ptr<Flight> flight_;
  std::uint64_t number_;
  bool left_ = false;
  bool ended_ = false;
};

Flights::~Flights() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return in_the_air_ == 0; });
}

std::unique_ptr<Flights::Seat> Flights::join(const std::string& key, const Run& run, FlightListener listener,
                                             bool& joined) {
  std::lock_guard lock(mutex_);
  const auto known = under_way_.find(key);
  joined = known != under_way_.end();
  const auto flight = joined ? known->second : std::make_shared<Flight>();
  flight->key = key;
  std::uint64_t seat = 0;
  {
    std::lock_guard told(flight->mutex);
    if (flight->started) listener.started();
    for (const auto& [stream, bytes] : flight->said) listener.output(stream, bytes);
    seat = flight->next_seat++;
    flight->listeners.emplace(seat, std::move(listener));
  }
  auto made = std::make_unique<FlightSeat>(*this, flight, seat);
  if (joined) return made;
  // On the table only when it flies: others would wait for it for ever.
  try {
    std::thread([this, key, flight, run] { fly(key, flight, run); }).detach();
    under_way_.emplace(key, flight);
    ++in_the_air_;
  } catch (const std::system_error& error) {
    flight->gone = true;
    land(*flight, base::fail(ErrorKind::unavailable, std::string("no thread for a step: ") + error.what(),
                             "this host has as many threads as it may have; try again when less runs"));
  }
  return made;
}

void Flights::fly(const std::string& key, const std::shared_ptr<Flight>& flight, const Run& run) {
  Cockpit cockpit;
  cockpit.cancel = flight->cancel.token();
  cockpit.started = [&] {
    std::lock_guard lock(flight->mutex);
    flight->started = true;
    for (auto& [seat, listener] : flight->listeners) listener.started();
  };
  cockpit.output = [&](sys::Stream stream, std::string_view bytes) {
    std::lock_guard lock(flight->mutex);
    if (flight->said_bytes < kRemembered) flight->said.emplace_back(stream, bytes);
    flight->said_bytes += bytes.size();
    for (auto& [seat, listener] : flight->listeners) listener.output(stream, bytes);
  };
  Result<StepResult> result = base::fail(ErrorKind::internal, "the step ended without a result");
  try {
    result = run(cockpit);
  } catch (const std::exception& error) {
    result = base::fail(ErrorKind::internal, std::string("executing a step failed: ") + error.what());
  }
  {
    // Off the table first: who comes now finds it in the cache, or starts anew.
    std::lock_guard lock(mutex_);
    if (auto found = under_way_.find(key); found != under_way_.end() && found->second == flight)
      under_way_.erase(found);
    land(*flight, result);
  }
  result = {};
  std::lock_guard lock(mutex_);
  flight->gone = true;
  --in_the_air_;
  changed_.notify_all();
}

// Under the table's lock.
void Flights::land(Flight& flight, const Result<StepResult>& result) {
  std::lock_guard told(flight.mutex);
  flight.landed = true;
  for (auto& [seat, listener] : flight.listeners) listener.landed(result);
  flight.listeners.clear();
}

void Flights::wait_for(const Flight& flight) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return flight.gone; });
}

// True when that ended it.
bool Flights::leave(const std::shared_ptr<Flight>& flight, std::uint64_t seat) {
  std::lock_guard lock(mutex_);
  std::lock_guard told(flight->mutex);
  flight->listeners.erase(seat);
  if (!flight->listeners.empty() || flight->landed) return false;
  // Nobody wants it: it is ended, and nobody joins it any more.
  flight->cancel.cancel();
  if (auto found = under_way_.find(flight->key); found != under_way_.end() && found->second == flight) {
    under_way_.erase(found);
  }
  return true;
}

}  // namespace ingot::solver
