#include "client/sweep/follow.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <set>
#include <thread>
#include <vector>

#include "client/sweep/grid.h"
#include "client/sweep/summary.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

using proto::SweepState;

constexpr auto kLook = std::chrono::milliseconds(500);
constexpr auto kPatience = std::chrono::minutes(1);  // with a daemon that is restarted

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};
Size terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

// What a terminal shows while it runs, and what a file gets: there a line for each cell that ends.
class Picture {
 public:
  Picture(Style style, bool live, bool quiet) : style_(style), live_(live), quiet_(quiet) {}

  void show(const proto::Sweep& sweep) {
    if (quiet_) return;
    if (live_) {
      draw(sweep);
    } else {
      tell(sweep);
    }
    std::fflush(stdout);
  }

 private:
  void draw(const proto::Sweep& sweep) {
    constexpr std::size_t kBelow = 3;
    const Size size = terminal_size();
    auto lines = draw_grid(sweep, style_, size.rows > kBelow ? size.rows - kBelow : 1, size.columns);
    std::string last = draw_counts(sweep);
    if (sweep.state == SweepState::publishing) last += ", publishing";
    const double left = seconds_left(sweep, now_ms());
    if (!proto::is_final(sweep.state) && left > 0) last += fmt::format(", about {} left", base::human_duration(left));
    lines.push_back(style_.bold(last));
    std::string text;
    if (drawn_ > 0) text = fmt::format("\033[{}A\033[J", drawn_);
    for (const auto& line : lines) text += line + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    drawn_ = lines.size();
  }

  void tell(const proto::Sweep& sweep) {
    for (const auto& cell : sweep.cells) {
      if (!proto::is_final(cell.state) || !told_.insert(cell.job).second) continue;
      std::printf("%-9s %s%s  %s  job %s\n", proto::name_of(cell.state), visible(shown_name(cell)).c_str(),
                  was_cached(cell) ? " (was there)" : "", base::human_duration(cell.seconds).c_str(), cell.job.c_str());
    }
  }

  const Style style_;
  const bool live_;
  const bool quiet_;
  std::size_t drawn_ = 0;
  std::set<std::string> told_;
};

}  // namespace

Result<proto::Sweep> follow_sweep(Daemon& daemon, const std::string& id, const Style& style, bool silent) {
  Picture picture(style, isatty(STDOUT_FILENO) != 0, silent);
  auto seen = std::chrono::steady_clock::now();
  while (true) {
    auto sweep = daemon.sweep(id);
    if (sweep) {
      seen = std::chrono::steady_clock::now();
      picture.show(*sweep);
      if (proto::is_final(sweep->state)) return sweep;
    } else if (sweep.error().kind != ErrorKind::unavailable || std::chrono::steady_clock::now() - seen > kPatience) {
      return sweep;
    }
    std::this_thread::sleep_for(kLook);
  }
}

std::size_t terminal_columns() {
  return terminal_size().columns;
}

}  // namespace ingot::client
