#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/plain_words.h"
#include "daemon/earthfile/run_options.h"

// IF, FOR, WAIT and TRY.
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
  INGOT_TRY(auto options, options_of(frame, branch, question_options()));
  const Word condition = branch.rest_from(options.first_word);
  if (condition.text.empty()) {
    return fail_at(branch.place, ErrorKind::syntax, branch.name + " needs a condition",
                   branch.name + " [ \"$NAME\" = value ]");
  }
  INGOT_CHECK(check_has_container(frame, branch.place));
  INGOT_TRY(auto exec, exec_of(frame, options, branch.place));
  exec.command = condition.text;
  // What the client's own environment has is known there alone.
  if (exec.secrets.empty() && !exec.privileged && !exec.local && graph::agent_of(exec) == nullptr) {
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
  INGOT_TRY(auto options, options_of(frame, command, known));
  const auto words = options.words(command);
  if (words.size() < 2 || words[1].text != "IN") {
    return fail_at(command.place, ErrorKind::syntax, "FOR needs a name, IN, and the words to go through", kForm);
  }
  const Word& name = words.front();
  const auto* separators = options.find("sep");
  const Word list = command.rest_from(options.first_word + 2);
  std::string text;
  const auto plain = frame.progress.local ? std::nullopt : plain_words(list.text, lookup(frame).variable);
  if (plain) {
    text = *plain;
  } else if (!list.text.empty()) {
    INGOT_TRY(auto exec, exec_of(frame, options, command.place));
    exec.command = "echo " + list.text;
    INGOT_TRY(auto answer, ask(frame, std::move(exec), command.text(), command.place));
    text = std::move(answer.output);            // whatever its end was
    if (text.ends_with('\n')) text.pop_back();  // echo's own
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
// that nothing is left to be waited for. But what comes behind may be LOCALLY, and do what cannot be undone: that waits
// for all that was to be built before it.
Status Interpreter::wait(Frame& frame, const Command& command) {
  if (!command.words.empty()) {
    return fail_at(command.words.front().place, ErrorKind::syntax, "WAIT takes no arguments", "WAIT, commands, END");
  }
  if (request_.locally != Request::Locally::allowed || frame.waits) return block(frame, command.body);
  frame.waits = true;
  const auto done = block(frame, command.body);
  frame.waits = false;
  INGOT_CHECK(done);
  if (frame.progress.step) wanted_.push_back(*frame.progress.step);
  return aside([this, known = graph_.part(wanted_)] { return host_.build(known); });
}

// TRY, one RUN, FINALLY, what is saved of it though it fails, END.
Status Interpreter::try_finally(Frame& frame, const Command& command) {
  constexpr const char* kForm = "TRY, one RUN, FINALLY, SAVE ARTIFACT ... AS LOCAL lines, END";
  if (!command.words.empty()) {
    return fail_at(command.words.front().place, ErrorKind::syntax, "TRY takes no arguments", kForm);
  }
  if (command.body.size() != 1 || command.body.front().name != "RUN") {
    const Command& wrong = command.body.empty() ? command : command.body[command.body.front().name == "RUN" ? 1 : 0];
    return fail_at(wrong.place, ErrorKind::syntax, "TRY takes one RUN, and nothing else", kForm);
  }
  for (const Command& part : command.alternatives) {
    if (part.name == "CATCH") {
      return fail_at(part.place, ErrorKind::unsupported, "CATCH is no command that does anything in Earthfiles",
                     "let the command of the RUN handle its failure: RUN command || other");
    }
    for (const Command& save : part.body) {
      const bool is_local = std::any_of(save.words.begin(), save.words.end(), [&](const Word& word) {
        return word.text == "AS" && &word != &save.words.back() && (&word + 1)->text == "LOCAL";
      });
      if (save.name == "SAVE ARTIFACT" && is_local) continue;
      return fail_at(save.place, ErrorKind::syntax, "FINALLY takes SAVE ARTIFACT ... AS LOCAL, and nothing else",
                     "what comes after a success stands below END");
    }
  }
  frame.tries = true;
  INGOT_CHECK(run_command(frame, command.body.front()));
  frame.tries = false;
  frame.is_finally = true;
  for (const Command& part : command.alternatives) INGOT_CHECK(block(frame, part.body));
  frame.is_finally = false;
  return {};
}

}  // namespace ingot::earthfile
