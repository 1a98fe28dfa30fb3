#pragma once

#include <vector>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"

// "(+target/path --NAME=value)": a reference with its arguments.
namespace ingot::earthfile {

// The words as they are meant: what stands in parentheses is one, with what stands right before them.
Result<std::vector<Word>> with_parentheses_joined(const Command& command, const std::vector<Word>& words);

// The words inside of parentheses; a word without them is alone.
std::vector<Word> words_inside(const Word& word);

}  // namespace ingot::earthfile
