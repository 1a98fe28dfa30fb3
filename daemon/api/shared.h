#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <set>

#include "daemon/api/server.h"
#include "daemon/api/turns.h"

namespace ingot::api {

class Connection;

// What all connections of a server share. `io` is run by one thread, and everything here but the pools is touched by
// that thread only; the pools run what may block on the disk.
struct Shared {
  ServerSettings settings;
  Services services;
  std::set<Connection*> connections;  // outlives `io`, whose end may end the last of them
  Turns uploads;                      // by digest
  boost::asio::io_context io{1};
  boost::asio::thread_pool workers{4};
  boost::asio::thread_pool copiers{4};  // of files that clients hand over, whose file systems may keep them waiting
  boost::asio::thread_pool planners{2};
  boost::asio::thread_pool tasks{4};
  boost::asio::thread_pool log_readers{1};  // hundreds of followers are no queue before a request

  Shared(ServerSettings given, Services what) : settings(std::move(given)), services(std::move(what)) {}
};

}  // namespace ingot::api
