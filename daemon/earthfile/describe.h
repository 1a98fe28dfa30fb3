#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/earthfile/ast.h"

namespace ingot::earthfile {

// What a recipe takes and gives, as it is written: no variable has a value yet.
struct ArgInfo {
  std::string name;
  std::optional<std::string> fallback;
  bool required = false;
  bool global = false;  // every target of the file has it
  std::string doc;      // the comment right above
  Place place;          // of the name
};

struct ArtifactInfo {
  std::string name;   // under which others COPY it
  std::string local;  // AS LOCAL; may be empty
  std::string doc;
};

struct SavedImageInfo {
  std::vector<std::string> names;
  std::string doc;
};

struct RecipeInfo {
  std::vector<ArgInfo> args;
  std::vector<ArtifactInfo> artifacts;
  std::vector<SavedImageInfo> images;
};

// Of an ARG. None where it has no name, which its interpretation tells.
std::optional<ArgInfo> arg_info(const File& file, const Command& command, bool in_base);
// With what stands in IF, FOR and other blocks; the base recipe is `file.base`.
RecipeInfo describe(const File& file, const std::vector<Command>& commands, bool in_base = false);

// The words behind a command's flags. A flag that takes a value, and does not have it behind `=`, must be in `valued`.
std::size_t first_word_behind_flags(const Command& command, const std::vector<std::string>& valued = {});

}  // namespace ingot::earthfile
