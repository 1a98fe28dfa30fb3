#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

// Messages over a stream socket between two processes: each with a kind and a number that say what it belongs to.
namespace ingot::sys {

inline constexpr std::size_t kLargestFrame = 16U << 20;

struct Frame {
  std::uint8_t kind = 0;
  std::uint32_t number = 0;
  std::string payload;
};

// Waits for as long as the other end takes nothing, and asks `gives_up` now and then. By one thread at a time.
Status send_frame(int socket, std::uint8_t kind, std::uint32_t number, std::string_view payload,
                  const std::function<bool()>& gives_up = {});
// The next one; none when the other end has closed. Kind `invalid` for what is no frame, or longer than `largest`. What
// is taken of the memory is what has come, whatever is announced.
Result<std::optional<Frame>> receive_frame(int socket, std::size_t largest = kLargestFrame);

}  // namespace ingot::sys
