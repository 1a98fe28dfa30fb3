#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/db/database.h"

namespace ingot::webhook {

// What one hook is still to be told.
struct Delivery {
  std::int64_t number = 0;
  std::string url;
  std::string body;
  std::int64_t since_ms = 0;
  std::int64_t next_ms = 0;
  std::int64_t attempts = 0;
};

// The rows of what hooks are to be told; the database notes the end of a sweep by itself. Every method is one
// transaction: when it returns ok, the change is durable.
class DeliveryTable {
 public:
  explicit DeliveryTable(db::Database& database) : database_(database) {}

  struct Ending {
    std::int64_t number = 0;
    std::string sweep;  // its id
  };
  Result<std::vector<Ending>> endings() const;  // that nobody has looked at
  // Takes an ending, and has each URL be told of it.
  Status take(const Ending& ending, const std::vector<std::string>& urls, const std::string& body, std::int64_t now_ms);
  Status add(const std::vector<std::string>& urls, const std::string& body, std::int64_t now_ms);

  Result<std::optional<Delivery>> next() const;  // the one whose time comes first, come or not
  Result<std::uint64_t> waiting() const;
  Status remove(std::int64_t number);
  // One more attempt was in vain: nor is anything else for that URL tried before then.
  Status put_off(const Delivery& delivery, std::int64_t next_ms);

 private:
  Status insert(const std::vector<std::string>& urls, const std::string& body, std::int64_t now_ms);

  db::Database& database_;
};

}  // namespace ingot::webhook
