#include <algorithm>
#include <fstream>
#include <sstream>

#include "daemon/earthfile/format.h"
#include "daemon/shell/shell.h"
#include "tests/support/source_directory.h"
#include "tests/unit/daemon/earthfile/interpreting.h"

// The Earthfile of tests/projects/lantern: of the size of those that people have.
namespace ingot::earthfile {
namespace {

std::string lantern() {
  std::ifstream file(test::source_directory() / "tests/projects/lantern/Earthfile");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void collect_conditions(const std::vector<Command>& commands, std::vector<std::string>& conditions) {
  for (const Command& command : commands) {
    if (command.name == "IF" || command.name == "ELSE IF") conditions.push_back(command.arguments);
    collect_conditions(command.body, conditions);
    collect_conditions(command.alternatives, conditions);
  }
}

std::vector<std::string> conditions_of(const File& file) {
  std::vector<std::string> conditions;
  collect_conditions(file.base, conditions);
  for (const auto* recipes : {&file.targets, &file.functions}) {
    for (const Recipe& recipe : *recipes) collect_conditions(recipe.commands, conditions);
  }
  return conditions;
}

TEST(LanternProject, is_as_large_as_those_that_people_have) {
  const std::string text = lantern();
  const File file = testing::parsed(text);
  EXPECT_GE(std::count(text.begin(), text.end(), '\n'), 1500);
  EXPECT_GE(file.targets.size(), 60U);
  EXPECT_EQ(file.functions.size(), 7U);
  EXPECT_EQ(conditions_of(file).size(), 93U);
  EXPECT_EQ(format(text, "Earthfile"), text);
}

// With what its variables usually are, in the image that its tests have.
TEST(LanternProject, of_its_conditions_85_take_no_container) {
  std::vector<std::string> asked;
  for (const auto& condition : conditions_of(testing::parsed(lantern()))) {
    std::vector<std::string> values = {"", "true", "false", "juniper", "24"};
    if (condition.starts_with("$")) values = {"true", "false"};
    for (const char* number : {" -lt ", " -le ", " -eq ", " -ge "}) {
      if (condition.find(number) != std::string::npos) values = {"24"};
    }
    const bool is_known = std::all_of(values.begin(), values.end(), [&](const std::string& value) {
      const auto variable = [&](const std::string& name) {
        return condition.find(name) == std::string::npos ? std::nullopt : std::optional(value);
      };
      return shell::answer_of(shell::Shell::busybox, condition, variable).has_value();
    });
    if (!is_known) asked.push_back(condition);
  }
  EXPECT_LE(asked.size(), 8U) << ::testing::PrintToString(asked);
  EXPECT_GE(asked.size(), 8U) << "the eight that look at files are among them";
}

}  // namespace
}  // namespace ingot::earthfile
