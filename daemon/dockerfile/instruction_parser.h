#pragma once

#include "daemon/base/result.h"
#include "daemon/dockerfile/ast.h"
#include "daemon/dockerfile/instructions.h"
#include "daemon/dockerfile/lexer.h"

namespace ingot::dockerfile {

// One line as an instruction.
class InstructionParser {
 public:
  InstructionParser(Line& line, char escape) : line_(line), escape_(escape) {}
  Result<Instruction> parse();

 private:
  tl::unexpected<Error> fail_here(std::size_t offset, std::string message, std::string hint) const;
  Word word(std::size_t begin, std::size_t end) const;
  void skip_blanks();
  Result<const InstructionInfo*> take_name();
  Status take_flags(const InstructionInfo& info);
  Status take_flag(const InstructionInfo& info, std::size_t end);
  Status take_health_test();
  Status take_arguments(const InstructionInfo& info);
  Status check_words(const InstructionInfo& info) const;
  Status take_pairs();

  Line& line_;
  char escape_;
  std::size_t at_ = 0;
  Instruction made_;
};

}  // namespace ingot::dockerfile
