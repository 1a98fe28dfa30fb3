#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/dockerfile/ast.h"

namespace ingot::dockerfile {

// Every instruction that Dockerfiles have.
struct InstructionInfo {
  Kind kind = Kind::run;
  std::string_view name;
  bool takes_exec_form = false;
  std::size_t least_words = 1;
  std::size_t most_words = ~std::size_t{0};
  std::string_view form;                // an example
  std::vector<std::string_view> flags;  // without "--"
};
const InstructionInfo* find_instruction(std::string_view name);  // in upper case
std::vector<std::string> instruction_names();

}  // namespace ingot::dockerfile
