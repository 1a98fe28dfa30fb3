#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::base {

// All of several patterns at once, byte by byte and each byte once (the automaton of Aho and Corasick). A place in it
// is the longest beginning of a pattern that what was read ends with.
class PatternTrie {
 public:
  using Place = std::uint32_t;
  static constexpr Place kRoot = 0;

  explicit PatternTrie(const std::vector<std::string>& patterns);

  bool empty() const { return nodes_.size() == 1; }
  std::size_t longest() const { return longest_; }
  bool begins_one(unsigned char byte) const { return first_[byte] != kRoot; }

  Place next(Place place, unsigned char byte) const;
  // How many of the last bytes that were read may still become a pattern that has not ended.
  std::size_t open(Place place) const { return nodes_[place].open; }
  // The length of the longest pattern that ends here; 0: none does.
  std::size_t match(Place place) const { return nodes_[place].match; }

 private:
  struct Node {
    Place child = kRoot;     // the first of those one byte further; kRoot: none
    Place sibling = kRoot;   // the next child of the same parent
    Place fallback = kRoot;  // the longest other beginning that what was read ends with
    std::uint32_t depth = 0;
    std::uint32_t open = 0;
    std::uint32_t match = 0;
    unsigned char byte = 0;
  };
  Place child_of(Place place, unsigned char byte) const;
  void insert(std::string_view pattern);
  void link();

  std::vector<Node> nodes_;
  std::array<Place, 256> first_{};  // the root's children: most bytes begin nothing, and cost one look
  std::size_t longest_ = 0;
};

}  // namespace ingot::base
