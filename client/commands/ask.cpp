#include "client/commands/ask.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace ingot::client {

namespace {

constexpr char kInterrupt = '\x03';

// A terminal that shows nothing of what is typed, as long as this lives. Ctrl-C ends the line instead of the program,
// which would leave the terminal so.
class Unseen {
 public:
  Unseen() {
    termios quiet{};
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    quiet.c_lflag |= ICANON;
    quiet.c_cc[VEOL] = kInterrupt;
    changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~Unseen() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  bool changed() const { return changed_; }

 private:
  termios before_{};
  bool changed_ = false;
};

}  // namespace

bool can_ask() {
  return isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
}

Result<std::string> ask_unseen(const std::string& question) {
  const Unseen unseen;
  if (!unseen.changed()) return base::fail(ErrorKind::usage, "what is typed here would be shown; nothing is asked");
  std::fprintf(stderr, "%s", question.c_str());
  std::fflush(stderr);
  std::string line;
  char c = 0;
  while (true) {
    const ssize_t got = read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n' || c == kInterrupt) break;
    line += c;
  }
  std::fprintf(stderr, "\n");
  if (c == kInterrupt) return base::fail(ErrorKind::canceled, "canceled");
  return line;
}

}  // namespace ingot::client
