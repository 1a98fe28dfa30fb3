#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/plain_words.h"
#include "daemon/earthfile/run_options.h"

// IF, FOR and WAIT.
namespace ingot::earthfile {

Status Interpreter::if_else(Frame& frame, const Command& command) {
  INGOT_TRY(bool first, holds(frame, command));
  if (first) return block(frame, command.body);
  for (const Command& branch : command.alternatives) {
    if (branch.name == "ELSE") return block(frame, branch.body);
    INGOT_TRY(bool holds_too, holds(frame, branch));
    if (holds_too) return block(frame, branch.body);
  }
  return {};
}

// Whatever a shell cannot make sense of is false, as the language has it.
Result<bool> Interpreter::holds(Frame& frame, const Command& branch) {
  INGOT_TRY(auto options, parse_options(branch, question_options(), lookup(frame)));
  const Word condition = branch.rest_from(options.first_word);
  if (condition.text.empty()) {
    return fail_at(branch.place, ErrorKind::syntax, branch.name + " needs a condition",
                   branch.name + " [ \"$NAME\" = value ]");
  }
  INGOT_CHECK(check_has_container(frame, branch.place));
  INGOT_TRY(auto exec, exec_of(frame, options));
  exec.command = condition.text;
  if (exec.secrets.empty()) {
    INGOT_TRY(auto known, answered_here(frame, exec, branch.place));
    if (known) return *known;
  }
  INGOT_TRY(auto answer, ask(frame, std::move(exec), branch.text(), branch.place));
  return answer.exit_code == 0;
}

// FOR [--sep=characters] name IN words.
Status Interpreter::for_each(Frame& frame, const Command& command) {
  constexpr const char* kForm = "FOR name IN words";
  auto known = question_options();
  known.push_back({"sep", true, ""});
  INGOT_TRY(auto options, parse_options(command, known, lookup(frame)));
  const auto words = options.words(command);
  if (words.size() < 2 || words[1].text != "IN") {
    return fail_at(command.place, ErrorKind::syntax, "FOR needs a name, IN, and the words to go through", kForm);
  }
  const Word& name = words.front();
  const auto* separators = options.find("sep");
  const Word list = command.rest_from(options.first_word + 2);
  std::string text;
  if (auto plain = plain_words(list.text, lookup(frame).variable)) {
    text = *plain;
  } else if (!list.text.empty()) {
    INGOT_TRY(auto exec, exec_of(frame, options));
    exec.command = "echo " + list.text;
    INGOT_TRY(auto answer, ask(frame, std::move(exec), command.text(), command.place));
    text = answer.output;  // whatever its end was
  }
  for (const auto& value : split_at_any(text, separators != nullptr ? separators->text : "\n\t ")) {
    INGOT_CHECK(check_command(frame, command));  // each round counts
    INGOT_CHECK(store(frame, frame.progress.scope.lets, name, value));
    INGOT_CHECK(block(frame, command.body));
  }
  frame.progress.scope.lets.remove(name.text);
  return {};
}

// Steps run as soon as what they stand on is there, and what is handed out is handed out once all has succeeded, so
// that nothing is left to be waited for.
Status Interpreter::wait(Frame& frame, const Command& command) {
  if (!command.words.empty()) {
    return fail_at(command.words.front().place, ErrorKind::syntax, "WAIT takes no arguments", "WAIT, commands, END");
  }
  return block(frame, command.body);
}

}  // namespace ingot::earthfile
