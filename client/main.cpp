#include <signal.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>

#include "client/cli/help.h"
#include "client/cli/parse.h"
#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/secrets.h"
#include "client/earthly/run.h"
#include "proto/error.h"

using namespace ingot;
using client::report;

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  std::setlocale(LC_CTYPE, "");
  if (argc > 0 && client::earthly::is_called(argv[0])) return client::earthly::run(argc, argv);
  const auto invocation = client::parse_arguments({argv + 1, argv + argc});
  if (!invocation) return report(invocation.error());
  client::hide_secrets(*invocation, argc, argv);
  if (invocation->command == "__complete") return client::run_complete(*invocation);
  const auto* command = client::find_command(invocation->command);
  if (command == nullptr || invocation->has("--help")) {
    const std::string text = command == nullptr ? client::overview_help() : client::command_help(*command);
    const bool asked = invocation->has("--help");
    std::fputs(text.c_str(), asked ? stdout : stderr);
    return asked ? 0 : proto::info(ErrorKind::usage).exit_code;
  }
  auto code = command->run(*invocation);
  if (!code) return report(code.error());
  // Output that did not get out, such as to a full disk, is no success. A reader that has seen enough is told nothing.
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return *code;
  if (errno != 0 && errno != EPIPE) std::fprintf(stderr, "ingot: cannot write the output: %s\n", std::strerror(errno));
  return *code != 0 ? *code : 1;
}
