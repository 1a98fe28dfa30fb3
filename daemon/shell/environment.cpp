#include "daemon/shell/environment.h"

#include <array>

#include "daemon/shell/characters.h"

namespace ingot::shell {

namespace {

// Linux takes no longer string into a process.
constexpr std::size_t kLongestValue = (128U << 10) - 1;

// IFS splits words, the others switch options on (SHELLOPTS: nounset, noglob; BASHOPTS: nocasematch, extglob). $ENV is
// none of them: only interactive shells read the file that it names.
constexpr std::array kDisturbing = {"IFS", "SHELLOPTS", "BASHOPTS", "BASH_COMPAT", "POSIXLY_CORRECT", "BASH_ENV"};

// Shells give these a value when the environment has none, and keep the environment's.
constexpr std::array kDefaulted = {"HOME", "HOSTNAME", "PATH", "SHELL", "TERM"};

// Shells give these a value of their own, or take them away, whatever the environment has.
constexpr std::string_view kOwn =
    " COLUMNS COPROC DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FCEDIT FUNCNAME FUNCNEST GROUPS HISTCMD "
    "HISTCONTROL HISTFILE HISTFILESIZE HISTSIZE HOSTTYPE IFS LINENO LINES MACHTYPE MAIL MAILCHECK "
    "MAILPATH MAPFILE OLDPWD OPTARG OPTERR OPTIND OSTYPE PIPESTATUS POSIXLY_CORRECT PPID PROMPT_COMMAND "
    "PS0 PS1 PS2 PS3 PS4 PWD RANDOM REPLY SECONDS SHELLOPTS SHLVL SRANDOM TIMEFORMAT TMOUT UID _ ";

bool has_value_of_its_own(const std::string& name) {
  return name.starts_with("BASH") || name.starts_with("COMP_") || kOwn.find(" " + name + " ") != std::string_view::npos;
}

bool has_default(std::string_view name) {
  return std::find(kDefaulted.begin(), kDefaulted.end(), name) != kDefaulted.end();
}

// Line ends are taken, other control characters not: bash and dash use some of them inside.
bool is_harmless(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return is_printable(c) || is_blank(c) || c == '\r' || static_cast<unsigned char>(c) >= 0x80;
  });
}

}  // namespace

bool Environment::disturbs_shells() const {
  return std::any_of(kDisturbing.begin(), kDisturbing.end(),
                     [this](const char* name) { return lookup_(name).has_value(); });
}

bool Environment::defines_function(const std::string& name) const {
  return lookup_("BASH_FUNC_" + name + "%%") || lookup_("BASH_FUNC_" + name + "()");
}

bool Environment::has_plain_order() const {
  for (const char* name : {"LC_ALL", "LC_COLLATE", "LC_CTYPE", "LANG"}) {
    const std::string value = lookup_(name).value_or("");
    if (!value.empty() && value != "C" && value != "POSIX" && value != "C.UTF-8") return false;
  }
  return true;
}

std::optional<Environment::Variable> Environment::variable(const std::string& name) const {
  if (is_digit(name[0])) return Variable{};  // there are no arguments behind the command
  if (has_value_of_its_own(name)) return std::nullopt;
  std::optional<std::string> value = lookup_(name);
  if (!value) return has_default(name) ? std::nullopt : std::optional(Variable{});
  if (value->size() > kLongestValue || !is_harmless(*value)) return std::nullopt;
  return Variable{true, std::move(*value)};
}

}  // namespace ingot::shell
