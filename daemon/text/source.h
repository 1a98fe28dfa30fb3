#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proto/error.h"

namespace ingot::text {

// The text of one file of a user. Places point into it, so it stays where it is for as long as they live.
class Source {
 public:
  // A byte order mark is dropped.
  Source(std::string_view text, std::string name);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  int line_of(std::size_t offset) const;  // counts from 1
  // Columns count characters, not bytes, so that a caret stands under the right one. The line is made fit for a
  // terminal and for JSON; of a line too long to be shown there is none.
  proto::Position position(std::size_t offset) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<std::size_t> line_starts_;
};

// Where something stands: cheap to keep for every word, a full position when an error needs one.
struct Place {
  const Source* source = nullptr;
  std::size_t offset = 0;

  Place plus(std::size_t bytes) const { return {source, offset + bytes}; }
  proto::Position position() const { return source == nullptr ? proto::Position{} : source->position(offset); }
};

}  // namespace ingot::text
