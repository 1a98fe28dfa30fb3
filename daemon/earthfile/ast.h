#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/text/source.h"

namespace ingot::earthfile {

using text::Place;
using text::Source;

// A word as written, quotes and all. The interpreter gives it its meaning.
struct Word {
  std::string text;
  Place place;
  std::size_t begin = 0;  // where it stands in the text that it is a word of (Command::arguments)
};

// One command as written, and for IF, FOR, WAIT, TRY and WITH DOCKER all that stands before its END.
struct Command {
  std::string name;         // "RUN", "SAVE ARTIFACT"
  std::vector<Word> words;  // what follows the name
  std::string arguments;    // the same as one text, its inner spaces kept
  std::string doc;          // of ARG, SAVE ARTIFACT and SAVE IMAGE: the comment right above
  Place place;
  std::vector<Command> body;
  std::vector<Command> alternatives;  // ELSE IF and ELSE, CATCH and FINALLY, in order; each has its body

  std::string text() const { return arguments.empty() ? name : name + " " + arguments; }
  // The place of a byte of `arguments`.
  Place place_of(std::size_t offset) const;
  // The words from `index` on as one, inner spaces kept; empty, at the end, when there are none.
  Word rest_from(std::size_t index) const;
};

// A target, or a function: what stands below "name:".
struct Recipe {
  std::string name;
  std::string doc;  // the comment right above it
  std::vector<Command> commands;
  Place place;
};

struct File {
  std::shared_ptr<const Source> source;  // every Place in this tree points to it
  std::string name;
  std::string version;                // "0.8"
  std::vector<std::string> features;  // flags of VERSION, without "--"
  std::vector<Command> base;          // the base recipe
  std::vector<Recipe> targets;
  std::vector<Recipe> functions;  // names in upper case; only DO calls them

  // Whether a feature of the language is on: by the version, or by its flag.
  bool has(std::string_view feature) const;
};

}  // namespace ingot::earthfile
