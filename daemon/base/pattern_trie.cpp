#include "daemon/base/pattern_trie.h"

#include <algorithm>
#include <deque>

namespace ingot::base {

PatternTrie::PatternTrie(const std::vector<std::string>& patterns) : nodes_(1) {
  for (const auto& pattern : patterns) insert(pattern);
  link();
}

PatternTrie::Place PatternTrie::child_of(Place place, unsigned char byte) const {
  if (place == kRoot) return first_[byte];
  Place child = nodes_[place].child;
  while (child != kRoot && nodes_[child].byte != byte) child = nodes_[child].sibling;
  return child;
}

PatternTrie::Place PatternTrie::next(Place place, unsigned char byte) const {
  while (true) {
    const Place child = child_of(place, byte);
    if (child != kRoot || place == kRoot) return child;
    place = nodes_[place].fallback;
  }
}

void PatternTrie::insert(std::string_view pattern) {
  if (pattern.empty()) return;
  Place place = kRoot;
  for (const char c : pattern) {
    const auto byte = static_cast<unsigned char>(c);
    Place child = child_of(place, byte);
    if (child == kRoot) {
      child = static_cast<Place>(nodes_.size());
      Node node;
      node.byte = byte;
      node.depth = nodes_[place].depth + 1;
      node.sibling = nodes_[place].child;
      nodes_.push_back(node);
      nodes_[place].child = child;
      if (place == kRoot) first_[byte] = child;
    }
    place = child;
  }
  nodes_[place].match = nodes_[place].depth;
  longest_ = std::max(longest_, pattern.size());
}

// Level by level: a node's fallback is shorter than itself, and so is known when its turn comes.
void PatternTrie::link() {
  std::deque<Place> level{kRoot};
  while (!level.empty()) {
    const Place parent = level.front();
    level.pop_front();
    for (Place child = nodes_[parent].child; child != kRoot; child = nodes_[child].sibling) {
      Node& node = nodes_[child];
      if (parent != kRoot) node.fallback = next(nodes_[parent].fallback, node.byte);
      if (node.match == 0) node.match = nodes_[node.fallback].match;
      node.open = node.child != kRoot ? node.depth : nodes_[node.fallback].open;
      level.push_back(child);
    }
  }
}

}  // namespace ingot::base
