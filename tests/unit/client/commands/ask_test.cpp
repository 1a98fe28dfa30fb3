#include "client/commands/ask.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <string>

namespace ingot::client {
namespace {

constexpr const char* kNoTerminal = "no terminal can be made here";

// Asks in a child at a terminal of its own; gives what was seen there, in the end what the child got.
std::string ask_at_terminal(const std::string& typed) {
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    auto line = ask_unseen("TOKEN: ");
    termios now{};
    tcgetattr(STDIN_FILENO, &now);
    const std::string said =
        line ? "got " + std::to_string(line->size()) + "." + line->substr(0, 2) : line.error().message;
    const std::string text = said + ((now.c_lflag & ECHO) != 0 && (now.c_lflag & ISIG) != 0 ? " restored" : " quiet");
    (void)!write(STDOUT_FILENO, text.c_str(), text.size());
    _exit(0);
  }
  if (child < 0) return kNoTerminal;
  std::string seen;
  bool sent = false;
  char buffer[256];
  while (true) {
    const ssize_t got = read(terminal, buffer, sizeof buffer);
    if (got <= 0) break;
    seen.append(buffer, static_cast<std::size_t>(got));
    if (!sent && seen.find("TOKEN: ") != std::string::npos) {
      sent = write(terminal, typed.c_str(), typed.size()) > 0;
    }
  }
  close(terminal);
  waitpid(child, nullptr, 0);
  return seen;
}

TEST(Asking, shows_nothing_of_what_is_typed) {
  const std::string seen = ask_at_terminal("hunter2\n");
  if (seen == kNoTerminal) GTEST_SKIP() << seen;
  EXPECT_EQ(seen, "TOKEN: \r\ngot 7.hu restored");
}

TEST(Asking, an_interrupt_is_an_answer_and_leaves_the_terminal_as_it_was) {
  const std::string seen = ask_at_terminal("hunt\x03");
  if (seen == kNoTerminal) GTEST_SKIP() << seen;
  EXPECT_EQ(seen, "TOKEN: \r\ncanceled restored");
}

}  // namespace
}  // namespace ingot::client
