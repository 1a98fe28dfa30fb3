#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace ingot::base {

// An XXH3 of 128 bits, written "xxh128:<32 hex digits>": tells damage, at the speed of memory. It proves nothing
// against who wants to deceive, so it stands beside a digest and never in its place.
class Checksum {
 public:
  Checksum();
  void update(std::string_view bytes);
  std::string finish() const;

 private:
  struct State;
  struct Free {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Free> state_;
};

}  // namespace ingot::base
