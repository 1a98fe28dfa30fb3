#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"

// What is said to an SSH agent, and what it answers: a length of four bytes, the highest first, and so many bytes, of
// which the first says what it is. Messages here have their length in front.
namespace ingot::sys {

inline constexpr std::size_t kLargestAgentMessage = 256U << 10;  // agents take no larger ones either

// The next one that comes; none when the other end has closed, or goes in the midst of one. Kind `canceled`; `invalid`
// for one that is too large or empty; `timed_out` when it takes longer than it may, 0: as long as it likes.
Result<std::optional<std::string>> receive_agent_message(int socket, const CancelToken& cancel,
                                                         std::chrono::milliseconds within = {});
// Kind `unavailable` when the other end has closed.
Status send_agent_message(int socket, std::string_view message, const CancelToken& cancel);

// Whether it is one, and no more.
bool is_agent_message(std::string_view message);
std::string agent_message(std::string_view content);

}  // namespace ingot::sys
