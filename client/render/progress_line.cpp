#include "client/render/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "client/render/text.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

constexpr std::chrono::milliseconds kBetweenLines{200};

std::size_t columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

}  // namespace

ProgressLine::ProgressLine(bool wanted) : shown_(wanted && isatty(STDERR_FILENO) != 0) {}

std::string ProgressLine::text(const std::string& name, std::uint64_t done, std::uint64_t total) {
  const std::uint64_t percent =
      total == 0 ? 100 : static_cast<std::uint64_t>(100.0 * static_cast<double>(done) / static_cast<double>(total));
  return fmt::format("{:>3}%  {} of {}  {}", percent, base::human_bytes(done), base::human_bytes(total), visible(name));
}

std::function<void(std::uint64_t, std::uint64_t)> ProgressLine::of(const std::string& name) {
  if (!shown_) return {};
  // The first line comes late: what is fetched at once needs none.
  next_ = std::chrono::steady_clock::now() + kBetweenLines;
  return [this, name](std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kBetweenLines;
    std::fprintf(stderr, "\r%s\033[K", cut_to_width(text(name, done, total), columns() - 1).c_str());
    std::fflush(stderr);
    drawn_ = true;
  };
}

void ProgressLine::clear() {
  if (drawn_) std::fprintf(stderr, "\r\033[K");
  drawn_ = false;
}

}  // namespace ingot::client
