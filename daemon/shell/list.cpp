#include "daemon/shell/list.h"

#include <array>

#include "daemon/shell/conditional.h"
#include "daemon/shell/simple_command.h"

namespace ingot::shell {

namespace {

// Longer than any condition that was written by hand.
constexpr std::size_t kLongestText = 16U << 10;

struct Command {
  bool after_or = false;  // joined to the one before by ||, else by &&
  bool negated = false;
  std::vector<Word> words;
  std::unique_ptr<Conditional> conditional;  // instead of the words
};

// Reads a whole line before any of it is run, as shells do: a mistake at its end keeps its start from running.
class ListReader {
 public:
  enum class Verdict { understood, mistake, unknown };

  ListReader(std::string_view text, Shell shell) : lexer_(text), shell_(shell) {}

  Verdict read(std::vector<Command>& out) {
    if (!advance()) return refused();
    if (token_.kind == Token::Kind::end) return Verdict::unknown;
    bool after_or = false;
    while (true) {
      Command command;
      command.after_or = after_or;
      const Verdict verdict = read_command(command);
      if (verdict != Verdict::understood) return verdict;
      out.push_back(std::move(command));
      if (token_.kind == Token::Kind::end) return Verdict::understood;
      after_or = token_.kind == Token::Kind::or_else;
      if (!advance()) return refused();
    }
  }

 private:
  bool advance() {
    auto token = lexer_.next();
    if (!token) return false;
    token_ = std::move(*token);
    return true;
  }

  Verdict refused() const { return lexer_.ended_in_quotes() ? mistake() : Verdict::unknown; }

  // bash ends with 0 at some mistakes inside of [[ ]].
  Verdict mistake() const { return shell_ == Shell::bash && has_conditional_ ? Verdict::unknown : Verdict::mistake; }

  Verdict read_command(Command& command) {
    if (token_.kind == Token::Kind::word && token_.word.is_bare("!")) {
      command.negated = true;
      if (!advance()) return refused();
      // A second `!`, or nothing behind it: taken by some shells.
      if (token_.kind != Token::Kind::word || token_.word.is_bare("!")) return Verdict::unknown;
    }
    if (token_.kind == Token::Kind::open || token_.kind == Token::Kind::close) return Verdict::unknown;
    if (token_.kind != Token::Kind::word) return mistake();
    if (is_reserved(token_.word)) return Verdict::unknown;
    if (token_.word.is_bare("[[")) has_conditional_ = true;
    return shell_ == Shell::bash && token_.word.is_bare("[[") ? read_bash_conditional(command)
                                                              : read_simple_command(command);
  }

  Verdict read_bash_conditional(Command& command) {
    command.conditional = read_conditional(lexer_);
    if (!command.conditional || !advance()) return Verdict::unknown;
    const bool ends =
        token_.kind == Token::Kind::and_then || token_.kind == Token::Kind::or_else || token_.kind == Token::Kind::end;
    return ends ? Verdict::understood : Verdict::unknown;
  }

  Verdict read_simple_command(Command& command) {
    // To busybox `[[ ]]` is a command, but && and || inside of it are arguments.
    bool inside_brackets = shell_ == Shell::busybox && token_.word.is_bare("[[");
    while (true) {
      if (token_.kind == Token::Kind::word) {
        if (token_.word.is_bare("]]")) inside_brackets = false;
        if (shell_ == Shell::busybox && token_.word.is_bare("[[") && !command.words.empty()) return Verdict::unknown;
        command.words.push_back(std::move(token_.word));
      } else if (inside_brackets && token_.kind == Token::Kind::and_then) {
        command.words.push_back(bare("&&"));
      } else if (inside_brackets && token_.kind == Token::Kind::or_else) {
        command.words.push_back(bare("||"));
      } else {
        break;
      }
      if (!advance()) return refused();
    }
    const bool groups = token_.kind == Token::Kind::open || token_.kind == Token::Kind::close;
    return groups ? Verdict::unknown : Verdict::understood;
  }

  static Word bare(std::string text) {
    Word word;
    word.parts.push_back({Quoting::none, std::move(text), nullptr});
    return word;
  }

  static bool is_reserved(const Word& word) {
    constexpr std::array kReserved = {"if",    "then",  "else", "elif", "fi",       "do",     "done", "case",   "esac",
                                      "while", "until", "for",  "in",   "function", "select", "time", "coproc", "]]"};
    return std::any_of(kReserved.begin(), kReserved.end(), [&](const char* text) { return word.is_bare(text); });
  }

  Lexer lexer_;
  Shell shell_;
  Token token_;
  bool has_conditional_ = false;
};

Outcome run(const Command& command, Shell shell, const Environment& environment, Expander& expander) {
  if (command.conditional) return evaluate(*command.conditional, expander, environment.has_plain_order());
  return run_simple_command(command.words, shell, environment, expander);
}

}  // namespace

std::optional<bool> status_of_list(std::string_view text, Shell shell, const Environment& environment) {
  if (text.size() > kLongestText) return std::nullopt;
  std::vector<Command> commands;
  const auto verdict = ListReader(text, shell).read(commands);
  if (verdict == ListReader::Verdict::unknown) return std::nullopt;
  if (verdict == ListReader::Verdict::mistake) return false;
  Expander expander(environment);
  bool status = true;
  for (const Command& command : commands) {
    if (status == command.after_or) continue;
    const Outcome outcome = run(command, shell, environment, expander);
    if (outcome == Outcome::unknown) return std::nullopt;
    status = (outcome == Outcome::yes) != command.negated;
  }
  return status;
}

}  // namespace ingot::shell
