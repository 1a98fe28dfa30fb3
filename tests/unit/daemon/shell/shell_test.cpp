#include "daemon/shell/shell.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace ingot::shell {
namespace {

using Variables = std::map<std::string, std::string>;

Lookup lookup_in(const Variables& variables) {
  return [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

char letter(std::optional<bool> answer) {
  return !answer ? '?' : *answer ? 't' : 'f';
}

// What dash, bash and busybox answer: t, f, or ? where only they can say.
std::string answers(const std::string& command, const Variables& variables = {}) {
  std::string out;
  for (const Shell shell : {Shell::dash, Shell::bash, Shell::busybox}) {
    out += letter(answer_of(shell, command, lookup_in(variables)));
  }
  return out;
}

const Variables kVariables = {{"OS", "ubuntu"},   {"ARCH", "amd64"}, {"VERSION", "22"}, {"EMPTY", ""},
                              {"TWO", "a b"},     {"YES", "true"},   {"NO", "false"},   {"STAR", "*"},
                              {"TAG", "v1.30.2"}, {"NEGATION", "!"}, {"AND", "&&"}};

struct Case {
  std::string command;
  std::string answers;
};

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) EXPECT_EQ(answers(one.command, kVariables), one.answers) << one.command;
}

TEST(Conditions, as_earthfiles_have_them) {
  check({{R"([ "$OS" = "ubuntu" ] && [ "$IMAGE" = "" ])", "ttt"},
         {R"([ "$OS" = "ubuntu" ] &&  [ "$ARCH" = "amd64" ] && [ "$VERSION" = "20" ])", "fff"},
         {R"([ "$OS" = "rhel" ] || [ "$OS" = "sles" ] || [ "$OS" = "ubuntu" ])", "ttt"},
         {R"([ "$VERSION" == 20 ] || [ "$VERSION" == 22 ])", "ftt"},
         {R"([ "$VERSION" == 20 ])", "fff"},
         {R"([ "$OS" != "" ])", "ttt"},
         {R"([ ! -z $EMPTY ])", "fff"},
         {R"([ ! -z $TWO ])", "fff"},
         {R"([ ! -z "$TWO" ])", "ttt"},
         {R"([ -n "$OS" ])", "ttt"},
         {R"([ -n $EMPTY ])", "ttt"},
         {"$YES", "ttt"},
         {"$NO", "fff"},
         {"$EMPTY", "ttt"},
         {"$OS", "???"},
         {R"([ "$OS" = "ubuntu" ] && $YES)", "ttt"},
         {R"([ "$OS" = "ubuntu" ] && $NO)", "fff"},
         // The bracket is glued to the word: closed when that is empty, else never.
         {R"([ !-n "$EMPTY"])", "ttt"},
         {R"([ !-n "$OS"])", "fff"},
         {R"([[ "$IMAGE" =~ "jetson" ]])", "fff"},
         {R"([[ "$OS" =~ "bun" ]])", "ft?"},
         {R"([[ "$TAG" =~ ^v1\.[0-9]+ ]])", "ft?"},
         {R"([[ "$OS" == "ubuntu" ]])", "ftt"},
         {R"([[ $OS != ubuntu ]])", "fff"},
         {R"([[ $TAG == v1.* ]])", "ft?"},
         {R"([ -f /etc/os-release ])", "???"},
         {R"([ -z "$OS" ] && [ -f /etc/os-release ])", "fff"},
         {R"([ -n "$OS" ] || [ -e "/usr/bin/dracut" ])", "ttt"},
         {R"x([ "$(cat version)" = 1 ])x", "???"},
         {R"(test "$OS" = ubuntu)", "ttt"},
         {R"([ "$OS" = "ubuntu" -a "$ARCH" = "arm64" ])", "fff"},
         {R"([ "$VERSION" -ge 20 ])", "ttt"},
         {R"([ "$TAG" -ge 20 ])", "fff"}});
}

TEST(Conditions, words) {
  check({{R"([ a'b'"c"\d = abcd ])", "ttt"},
         {R"([ "\$OS\"\\\a" = '$OS"\\a' ])", "ttt"},
         {R"([ '$OS' = \$OS ])", "ttt"},
         {R"([ ${OS}x = ubuntux ])", "ttt"},
         {R"([ "${NONE:-d e}" = "d e" ])", "ttt"},
         {R"([ ${EMPTY-d} ])", "fff"},
         {R"([ ${EMPTY:-d} ])", "ttt"},
         {R"([ ${OS:+x} = x ])", "ttt"},
         {R"([ ${NONE+x} ])", "fff"},
         {R"([ ${#OS} -eq 6 ])", "ttt"},
         {R"([ ${TAG#v} = 1.30.2 ])", "ttt"},
         {R"([ ${TAG%.*} = v1.30 ])", "ttt"},
         {R"([ ${TAG%%.*} = v1 ])", "ttt"},
         {R"([ ${TAG#*.} = 30.2 ])", "ttt"},
         {R"([ ${TAG##*.} = 2 ])", "ttt"},
         {R"([ ${TAG#*3*} = 2 ])", "???"},
         {R"([ ${OS/u/x} = xbuntu ])", "???"},
         {R"([ ${NONE:-${NONE:-$OS}} = ubuntu ])", "ttt"},
         {R"([ "$1$9" = "" ])", "ttt"},
         {R"([ $TWO = a ])", "???"},
         {R"([ $STAR = x ])", "???"},
         {R"([ "$STAR" = "*" ])", "ttt"},
         {R"([ *.txt = x ])", "???"},
         {R"([ ~ = x ])", "???"},
         {R"([ {a,b} = x ])", "???"},
         {R"([ a = a ] # "a comment)", "ttt"},
         {R"([ "a" = "a ])", "fff"},
         {R"([ a = 'a ])", "fff"},
         {R"("true")", "ttt"},
         {R"($YES ignored)", "ttt"},
         {R"(tr\ue)", "ttt"},
         {"[ a = a ] > /dev/null", "???"},
         {"[ a = a ] | cat", "???"},
         {"[ a = a ] &", "???"},
         {"[ a = a ]; false", "???"},
         {"true\nfalse", "???"},
         {"[ a = `echo a` ]", "???"},
         {"X=1 [ a = a ]", "???"},
         {"if true", "???"},
         {"( true )", "???"},
         {"ls", "???"},
         {"[ \xc3\xa9 = a ]", "???"},
         {"[ $'a' = a ]", "???"},
         {"", "???"},
         {"#", "???"}});
}

TEST(Conditions, lists) {
  check({{"true", "ttt"},
         {":", "ttt"},
         {"false", "fff"},
         {"! true", "fff"},
         {"! false", "ttt"},
         {"! ! true", "???"},
         {"!true", "???"},
         {"false && ls || true", "ttt"},
         {"true || ls && false", "fff"},
         {"true || ls", "ttt"},
         {"ls || true", "???"},
         {"true &&", "fff"},
         {"&& true", "fff"},
         {"true && || true", "fff"},
         {"true || 'x", "fff"},
         {"[ a b ] || $EMPTY", "ttt"},
         {"! [ a b ]", "ttt"},
         {"true || if", "???"}});
}

TEST(Conditions, tests) {
  check({{"[ ]", "fff"},
         {"[", "fff"},
         {"test", "fff"},
         {"[ a", "fff"},
         {"[ a ]]", "?ff"},
         {"[ -n ]", "ttt"},
         {"[ ! ]", "ttt"},
         {"[ a b ]", "fff"},
         {"[ $EMPTY = x ]", "fff"},
         {"[ x != $EMPTY ]", "fff"},
         {"[ $EMPTY -eq 1 ]", "fff"},
         {"[ = = ]", "???"},
         {"[ ! a b ]", "fff"},
         {"[ = = = ]", "ttt"},
         {"[ ! = ! ]", "ttt"},
         {"[ -z = -z ]", "ttt"},
         {R"x([ "(" = ")" ])x", "fff"},
         {R"x([ "(" a ")" ])x", "ttt"},
         {R"x([ "(" -z ")" ])x", "???"},
         {R"x([ "(" == ")" ])x", "?ff"},
         {R"([ \( a = a \) -o b = c ])", "ttt"},
         {R"([ ! a = a -o b = b ])", "ttt"},
         {R"([ "$NEGATION" = x -a a = a ])", "???"},
         {"[ a -a '' ]", "fff"},
         {"[ a -o '' ]", "ttt"},
         {"[ ! a -a '' ]", "???"},
         {"[ a -o ]", "???"},
         {"[ a == a -o b = b ]", "ftt"},
         {"[ -v OS ]", "???"},
         {"[ a '<' b ]", "???"},
         {"[ a -nt b ]", "???"}});
}

TEST(Conditions, numbers) {
  check({{"[ 1 -eq 01 ]", "ttt"},
         {"[ -5 -lt 3 ]", "ttt"},
         {"[ +3 -ge 3 ]", "ttt"},
         {"[ 2 -ne 2 ]", "fff"},
         {"[ 2 -le 1 ]", "fff"},
         {"[ 2 -gt 1 ]", "ttt"},
         {"[ 2147483648 -gt 1 ]", "???"},
         {"[ ' 1' -eq 1 ]", "???"},
         {"[ 1x -eq 1 ]", "fff"},
         {"[ ! 1x -eq 1 ]", "fff"},
         {"[ '' -gt 5 ]", "fff"},
         {"[ ! '' -gt 5 ]", "???"},
         {"[ '' -eq 0 ]", "???"},
         {"[ 1.5 -lt 2 ]", "fff"},
         {"[[ 5 -eq 5 ]]", "ftt"},
         {"[[ 010 -eq 10 ]]", "f?t"},
         {"[[ OS -eq 0 ]]", "f?f"},
         {"[[ 1+1 -eq 2 ]]", "f??"}});
}

TEST(Conditions, double_brackets) {
  check({{"[[ $TWO == 'a b' ]]", "ft?"},
         {"[[ $EMPTY == '' ]]", "ftf"},
         {"[[ -z $EMPTY ]]", "ftt"},
         {"[[ $OS == \"u*\" ]]", "ff?"},
         {"[[ $OS == u\\* ]]", "ff?"},
         {"[[ $OS == u?u*u ]]", "ft?"},
         {"[[ $OS == $STAR ]]", "ft?"},
         {"[[ $OS == [u]* ]]", "f??"},
         {"[[ a && ! '' ]]", "ftt"},
         {"[[ $OS == ubuntu && $ARCH == arm64 ]]", "fff"},
         {"[[ $OS == x || $ARCH == amd64 ]]", "?tt"},
         {"[[ ( a == b || a == a ) && c == c ]]", "?t?"},
         {"[[ ! a == b ]]", "ftt"},
         {"[[ -f x ]]", "f??"},
         {"[[ a == b && -f x ]]", "ff?"},
         {"[[ a < b ]]", "???"},
         {"[[ && != a ]]", "f??"},
         {"[[ a $AND b ]]", "f??"},
         {"[[ a == a ]] &&", "f?f"},
         {"[[ a b ]]", "f?f"},
         {"[[ a", "f?f"},
         {"[[ a == a ]] x", "f?f"},
         {"[[ a == 'a", "f?f"},
         {"! [[ a == b ]]", "ttt"},
         {"$NO [[ a == a ]]", "ff?"},
         {"[[ ab =~ ^a(b|c)$ ]]", "?t?"},
         {"[[ ac =~ 'a.' ]]", "ff?"},
         {"[[ abab =~ ^(ab)+$ ]]", "???"},
         {"[[ a =~ \\w ]]", "f?f"},
         {"[[ $TAG =~ ^v[0-9.]+$ ]]", "ft?"},
         {"[[ a =~ [z-a] ]]", "f??"},
         {"[[ a =~ x* ]]", "ft?"},
         {"[[ a || b =~ ( ]]", "???"},
         {"[[ a =~ b|c ]]", "?f?"}});
}

TEST(Shell, ranges_are_known_where_the_locale_is) {
  EXPECT_EQ(answers("[[ a =~ [a-z] ]]"), "ft?");
  EXPECT_EQ(answers("[[ a =~ [a-z] ]]", {{"LANG", "C.UTF-8"}}), "ft?");
  EXPECT_EQ(answers("[[ a =~ [a-z] ]]", {{"LC_ALL", "de_DE.UTF-8"}}), "f??");
}

TEST(Shell, what_shells_set_themselves_is_not_known) {
  for (const char* name :
       {"PWD", "HOME", "PATH", "RANDOM", "UID", "BASH_VERSION", "_", "OPTIND", "SHLVL", "HOSTNAME"}) {
    EXPECT_EQ(answers(std::string("[ \"$") + name + "\" = x ]"), "???") << name;
  }
  EXPECT_EQ(answers("[ \"$HOME\" = /root ]", {{"HOME", "/root"}}), "ttt");
  EXPECT_EQ(answers("[ \"$PWD\" = /root ]", {{"PWD", "/root"}}), "???");
  for (const char* special : {"$?", "$$", "$#", "$0", "$@", "$*", "$-", "$!"}) {
    EXPECT_EQ(answers(std::string("[ \"") + special + "\" = x ]"), "???") << special;
  }
}

TEST(Shell, what_changes_shells_keeps_them_from_being_answered_for) {
  for (const char* name : {"IFS", "SHELLOPTS", "BASHOPTS", "BASH_ENV", "POSIXLY_CORRECT", "BASH_COMPAT"}) {
    EXPECT_EQ(answers("true", {{name, ""}}), "???") << name;
  }
  EXPECT_EQ(answers("[ a = a ]", {{"BASH_FUNC_[%%", "() { false; }"}}), "t?t");
  EXPECT_EQ(answers("true", {{"BASH_FUNC_true()", "() { false; }"}}), "t?t");
}

TEST(Shell, bytes_beyond_ascii_are_equal_or_not_known) {
  const Variables variables = {{"E", "\xc3\xa9"}, {"F", "\xc3\xa8"}, {"CONTROL", "\x01"}, {"LINES_", "a\nb"}};
  EXPECT_EQ(answers(R"([ "$E" = "$E" ])", variables), "ttt");
  EXPECT_EQ(answers(R"([ "$E" = "$F" ])", variables), "???");
  EXPECT_EQ(answers(R"([ "$E" != "" ])", variables), "ttt");
  EXPECT_EQ(answers(R"([ $E = x ])", variables), "???");
  EXPECT_EQ(answers(R"([ ${#E} -eq 1 ])", variables), "???");
  EXPECT_EQ(answers(R"([[ $E == ? ]])", variables), "f??");
  EXPECT_EQ(answers(R"([ "$CONTROL" = x ])", variables), "???");
  EXPECT_EQ(answers(R"([ "$LINES_" = "a b" ])", variables), "fff");
}

TEST(Shell, is_asked_for_only_where_it_matters) {
  int asked = 0;
  const auto which = [&](std::optional<Shell> shell) {
    return [&asked, shell] {
      ++asked;
      return shell;
    };
  };
  const auto lookup = lookup_in(kVariables);
  EXPECT_EQ(answer("[ a = a ]", lookup, which(Shell::dash)), true);
  EXPECT_EQ(answer("[ -f x ]", lookup, which(Shell::dash)), std::nullopt);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(answer("[ a == a ]", lookup, which(Shell::dash)), false);
  EXPECT_EQ(answer("[ a == a ]", lookup, which(Shell::bash)), true);
  EXPECT_EQ(answer("[ a == a ]", lookup, which(Shell::busybox)), true);
  EXPECT_EQ(answer("[ a == a ]", lookup, which(std::nullopt)), std::nullopt);
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(answer("[ a == a ]", lookup, nullptr), std::nullopt);
  EXPECT_EQ(answer("[[ a == a* ]]", lookup, which(Shell::busybox)), std::nullopt);
}

TEST(Shell, is_told_by_what_bin_sh_leads_to) {
  EXPECT_EQ(shell_named("dash"), Shell::dash);
  EXPECT_EQ(shell_named("/usr/bin/dash"), Shell::dash);
  EXPECT_EQ(shell_named("/bin/busybox"), Shell::busybox);
  EXPECT_EQ(shell_named("bash"), Shell::bash);
  for (const char* other : {"", "/", "sh", "ash", "/bin/mksh", "zsh", "busybox/", "/bin/bash-static"}) {
    EXPECT_EQ(shell_named(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace ingot::shell
