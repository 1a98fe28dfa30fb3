#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace ingot::image {

// Cuts a program's output into lines, whole ones and without their ends.
class LineCutter {
 public:
  explicit LineCutter(std::function<void(const std::string&)> take) : take_(std::move(take)) {}
  void feed(std::string_view bytes);
  void finish();  // the last line, if no newline ended it

 private:
  std::function<void(const std::string&)> take_;
  std::string line_;
};

// What is shown of a program's own words: no control characters, no more than a reader wants.
std::string excerpt(std::string_view words);

}  // namespace ingot::image
