#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/lexer.h"
#include "daemon/earthfile/tree_builder.h"

namespace ingot::earthfile {

// One pass over a file's statements. It goes on behind an error, so that a user sees them all at once.
class Parser {
 public:
  explicit Parser(std::shared_ptr<const Source> source);
  tl::expected<File, std::vector<Error>> run();

 private:
  void take(Statement& statement);
  bool check_text(const Statement& statement);
  void take_version(const Statement& statement);
  void take_version_number(const Word& word);
  void take_feature(const Word& word);
  void check_features(const Word& version);
  void take_header(const Statement& statement);
  void check_name(const Word& word, const std::string& name);
  void take_command(Statement& statement);
  void unknown_command(const Statement& statement);
  void check_function_keyword(const Command& command);
  void end_recipe();
  void fail(const Place& place, std::string message, std::string hint = {});

  Lexer lexer_;
  File file_;
  std::vector<Error> errors_;
  TreeBuilder tree_;
  Recipe* recipe_ = nullptr;  // the target or function being read; none: the base recipe
  bool in_function_ = false;
  bool recipe_has_commands_ = false;
  std::unordered_map<std::string, Place> names_;
  bool seen_any_ = false;
};

}  // namespace ingot::earthfile
