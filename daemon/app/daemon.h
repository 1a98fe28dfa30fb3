#pragma once

#include <memory>

#include "daemon/app/config.h"

namespace ingot::app {

// The composition root: builds every part in order, and takes them down in the other.
class Daemon {
 public:
  // Everything but the threads that work: after it returns the state directory is ours and the socket listens.
  static Result<std::unique_ptr<Daemon>> create(const Config& config, int inherited_socket);
  ~Daemon();

  void start();
  // Takes over what a running daemon can, and logs what it cannot.
  void reload(const Config& config);
  // Ends running jobs within the patience of the configuration, then everything else.
  void stop();
  bool healthy() const;  // for the watchdog

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace ingot::app
