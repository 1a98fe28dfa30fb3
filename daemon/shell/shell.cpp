#include "daemon/shell/shell.h"

#include "daemon/shell/list.h"

namespace ingot::shell {

std::optional<Shell> shell_named(std::string_view program) {
  // npos + 1 is 0: a name without a directory.
  const std::string_view name = program.substr(program.rfind('/') + 1);
  if (name == "dash") return Shell::dash;
  if (name == "bash") return Shell::bash;
  if (name == "busybox") return Shell::busybox;
  return std::nullopt;
}

std::optional<bool> answer_of(Shell shell, std::string_view command, const Lookup& variables) {
  const Environment environment(variables);
  if (environment.disturbs_shells()) return std::nullopt;
  return status_of_list(command, shell, environment);
}

std::optional<bool> answer(std::string_view command, const Lookup& variables,
                           const std::function<std::optional<Shell>()>& shell) {
  const auto of_dash = answer_of(Shell::dash, command, variables);
  const auto of_bash = answer_of(Shell::bash, command, variables);
  const auto of_busybox = answer_of(Shell::busybox, command, variables);
  if (of_dash == of_bash && of_bash == of_busybox) return of_dash;
  const std::optional<Shell> known = shell ? shell() : std::nullopt;
  if (!known) return std::nullopt;
  switch (*known) {
    case Shell::dash:
      return of_dash;
    case Shell::bash:
      return of_bash;
    case Shell::busybox:
      return of_busybox;
  }
  return std::nullopt;
}

}  // namespace ingot::shell
