#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace ingot::app {

// Speaks to systemd by its notification socket (NOTIFY_SOCKET); does nothing where there is none.
void notify_systemd(const std::string& state);  // "READY=1", "STOPPING=1", "WATCHDOG=1"

// How often the watchdog wants to hear of us: half of what systemd allows. None: it does not watch.
std::optional<std::chrono::microseconds> watchdog_interval();

// The listening socket that systemd handed over (LISTEN_FDS), or -1.
int inherited_socket();

}  // namespace ingot::app
