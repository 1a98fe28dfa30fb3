#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/text/source.h"

namespace ingot::dockerfile {

using text::Place;
using text::Source;

// A word as written, quotes and all.
struct Word {
  std::string text;
  Place place;
};

// --name=value, its quotes gone. "true" for one without a value.
struct Flag {
  std::string name;
  std::string value;
  Place place;
};

// NAME=value of ARG, ENV and LABEL; an ARG may have none.
struct Pair {
  Word name;
  std::optional<Word> value;
};

// <<NAME, and the lines up to the one that is NAME.
struct Heredoc {
  std::string name;
  std::string content;
  bool expands = true;       // the name has no quotes
  bool strips_tabs = false;  // <<-NAME
  Place place;               // of the "<<"

  // The lines as they are meant: without the tabs at their beginnings, if those go.
  std::string lines() const;
};

enum class Kind {
  add,
  arg,
  cmd,
  copy,
  entrypoint,
  env,
  expose,
  from,
  healthcheck,
  label,
  maintainer,
  onbuild,
  run,
  shell,
  stop_signal,
  user,
  volume,
  working_directory,
};

struct Instruction {
  Kind kind = Kind::run;
  std::string name;  // "RUN"
  std::string text;  // all of it but heredocs, continued lines joined
  Place place;
  std::vector<Flag> flags;
  Word arguments;                                // what is behind the flags, as one text
  std::vector<Word> words;                       // the same, cut at white space; of HEALTHCHECK, what follows CMD
  std::optional<std::vector<std::string>> exec;  // ["a", "b"], where that form is known
  std::vector<Pair> pairs;
  std::vector<Heredoc> heredocs;

  const Flag* find(const std::string& flag) const;  // the last one given
};

struct Stage {
  Word image;  // or another stage's name
  std::optional<Flag> platform;
  std::string name;  // in lower case; empty: it has none
  std::vector<Instruction> instructions;
  std::string text;
  Place place;
};

struct File {
  std::shared_ptr<const Source> source;  // every Place in this tree points to it
  char escape = '\\';
  std::vector<Instruction> args;  // before the first FROM
  std::vector<Stage> stages;      // at least one
};

}  // namespace ingot::dockerfile
