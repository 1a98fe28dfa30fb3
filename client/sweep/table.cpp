#include "client/sweep/table.h"

#include <algorithm>
#include <set>

#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

std::string longest_axis(const proto::Sweep& sweep) {
  std::string longest;
  std::size_t most = 0;
  for (const auto& axis : sweep.axes) {
    std::set<std::string> values;
    for (const auto& cell : sweep.cells) {
      if (const auto found = cell.values.find(axis); found != cell.values.end()) values.insert(found->second);
    }
    if (values.size() < most) continue;
    most = values.size();
    longest = axis;
  }
  return longest;
}

}  // namespace

SweepTable table_of(const proto::Sweep& sweep) {
  SweepTable table;
  const std::string axis = longest_axis(sweep);
  std::set<std::string> targets;
  for (const auto& cell : sweep.cells) {
    if (cell.number != 0) targets.insert(cell.target);
  }
  std::set<std::string> known_down;
  std::set<std::string> known_across;
  for (const auto& cell : sweep.cells) {
    if (cell.number == 0) continue;
    const auto value = cell.values.find(axis);
    const std::string down = value == cell.values.end() ? "-" : value->second;
    std::vector<std::string> words;
    for (const auto& name : sweep.axes) {
      const auto found = cell.values.find(name);
      if (name != axis && found != cell.values.end()) words.push_back(found->second);
    }
    // What `include` adds may have more.
    for (const auto& [name, each] : cell.values) {
      if (std::find(sweep.axes.begin(), sweep.axes.end(), name) == sweep.axes.end()) words.push_back(name + "=" + each);
    }
    if (targets.size() > 1) words.push_back(cell.target);
    const std::string across = words.empty() ? "result" : base::join(words, " ");
    if (known_down.insert(down).second) table.down.push_back(down);
    if (known_across.insert(across).second) table.across.push_back(across);
    table.cells[{down, across}] = &cell;
  }
  return table;
}

}  // namespace ingot::client
