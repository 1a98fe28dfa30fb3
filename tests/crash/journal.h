#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace ingot::test {

// What the process that is killed says of its work, in memory that it shares.
class Journal {
 public:
  Journal()
      : text_(static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Journal() { munmap(text_, kSize); }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  void clear() { std::memset(text_, 0, kSize); }
  void add(const std::string& line) {
    const std::size_t at = std::strlen(text_);
    if (at + line.size() + 2 > kSize) std::abort();
    std::memcpy(text_ + at, (line + "\n").c_str(), line.size() + 2);
  }
  std::string text() const { return text_; }

 private:
  static constexpr std::size_t kSize = 1 << 20;
  char* text_;
};

}  // namespace ingot::test
