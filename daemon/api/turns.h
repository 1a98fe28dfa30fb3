#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace ingot::api {

// Those that want the same thing made at the same time: one makes it, the others wait for what comes of that, and one
// of them takes over when nothing did. Nobody blocks. For one thread.
class Turns {
 public:
  // Told that it is made, or else that it is this one's turn to make it; then it says whether it does.
  using Waiter = std::function<bool(bool made)>;

  // True: it is the caller's turn, and `waiter` is not needed.
  bool take(const std::string& key, Waiter waiter) {
    auto [waiting, is_first] = waiting_.try_emplace(key);
    if (!is_first) waiting->second.push_back(std::move(waiter));
    return is_first;
  }

  // What every turn ends with.
  void end(const std::string& key, bool made) {
    const auto ended = waiting_.find(key);
    while (!made && !ended->second.empty()) {
      const Waiter next = std::move(ended->second.front());
      ended->second.pop_front();
      if (next(false)) return;
    }
    const auto others = std::move(ended->second);
    waiting_.erase(ended);
    for (const auto& other : others) other(true);
  }

 private:
  std::map<std::string, std::deque<Waiter>> waiting_;  // for each thing that is being made
};

}  // namespace ingot::api
