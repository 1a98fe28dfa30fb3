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
  std::string sweep;  // its id
  std::string url;
  std::int64_t since_ms = 0;
  std::int64_t attempts = 0;
};

// The rows of what hooks are to be told; the database notes the end of a sweep by itself. Every method is one
// transaction: when it returns ok, the change is durable.
class DeliveryTable {
 public:
  explicit DeliveryTable(db::Database& database) : database_(database) {}

  // Of every sweep whose end nobody has looked at yet, a delivery to each URL that `urls_of` gives for its name.
  Status take_endings(const std::function<std::vector<std::string>(const std::string& name)>& urls_of,
                      std::int64_t now_ms);
  // The one that has waited longest for its time, come or not.
  struct Next {
    Delivery delivery;
    std::int64_t at_ms = 0;
  };
  Result<std::optional<Next>> next() const;
  Result<std::uint64_t> waiting() const;
  Status remove(std::int64_t number);
  Status put_off(std::int64_t number, std::int64_t next_ms, const std::string& problem);

 private:
  db::Database& database_;
};

}  // namespace ingot::webhook
