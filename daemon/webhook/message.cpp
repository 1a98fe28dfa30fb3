#include "daemon/webhook/message.h"

#include <nlohmann/json.hpp>

namespace ingot::webhook {

std::string message_of(const proto::Sweep& sweep) {
  constexpr std::size_t kMostCells = 100;  // the counts tell of all
  proto::Sweep told = sweep;
  told.cells.clear();
  for (const auto& cell : sweep.cells) {
    if (cell.state != proto::JobState::succeeded && told.cells.size() < kMostCells) told.cells.push_back(cell);
  }
  return nlohmann::json({{"event", "sweep.ended"}, {"sweep", proto::to_json(told)}}).dump();
}

}  // namespace ingot::webhook
