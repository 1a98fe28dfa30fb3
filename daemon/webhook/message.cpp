#include "daemon/webhook/message.h"

#include <nlohmann/json.hpp>

#include "proto/codec.h"

namespace ingot::webhook {

std::string message_of(const proto::Sweep& sweep) {
  constexpr std::size_t kMostCells = 100;
  proto::Sweep told = sweep;
  told.cells.clear();
  std::size_t left_out = 0;
  for (const auto& cell : sweep.cells) {
    if (cell.state == proto::JobState::succeeded) continue;
    if (told.cells.size() < kMostCells) {
      told.cells.push_back(cell);
    } else {
      ++left_out;
    }
  }
  return proto::dump({{"event", "sweep.ended"}, {"sweep", proto::to_json(told)}, {"cells_left_out", left_out}});
}

std::string message_of_failure(const std::string& schedule, const std::string& problem) {
  return proto::dump({{"event", "schedule.failed"}, {"schedule", schedule}, {"problem", problem}});
}

}  // namespace ingot::webhook
