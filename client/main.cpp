#include <signal.h>

#include <clocale>
#include <cstdio>

#include "client/cli/help.h"
#include "client/cli/parse.h"
#include "client/commands/commands.h"
#include "proto/error.h"

namespace {

using namespace ingot;

int report(const Error& error) {
  std::fprintf(stderr, "ingot: %s\n", proto::render(error).c_str());
  return proto::info(error.kind).exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  std::setlocale(LC_CTYPE, "");
  const auto invocation = client::parse_arguments({argv + 1, argv + argc});
  if (!invocation) return report(invocation.error());
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
  // Output that did not get out, such as to a full disk, is no success.
  if (std::fflush(stdout) != 0 && *code == 0) return 1;
  return *code;
}
