#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

namespace ingot::shell {

using Variables = std::map<std::string, std::string>;

struct Condition {
  std::string text;
  Variables variables;
};

// Makes conditions up: of the kind that Earthfiles have (`ordinary`), or with everything in every place.
class ConditionGenerator {
 public:
  explicit ConditionGenerator(unsigned seed) : random_(seed) {}

  Condition ordinary();
  Condition nasty();

 private:
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  const std::string& one_of(const std::vector<std::string>& from) { return from[random_() % from.size()]; }
  Variables some_variables(const std::vector<std::string>& values);

  std::string list(std::string (ConditionGenerator::*command)());
  std::string ordinary_command();
  std::string nasty_command();
  std::string ordinary_word();
  std::string nasty_word();
  std::string parameter(bool in_quotes);
  std::string doubled(std::string (ConditionGenerator::*word)());
  std::string long_test();

  std::mt19937 random_;
};

}  // namespace ingot::shell
