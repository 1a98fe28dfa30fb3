#include "daemon/sweep/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/source_directory.h"
#include "tests/support/temp.h"

namespace ingot::sweep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Project kProject = {{"OS_VERSION", "K8S_VERSION", "K8S_DISTRIBUTION", "UPDATE_KERNEL", "A", "B", "C"},
                          {"+provider-image", "+iso", "+base-image"},
                          {{"k3s", {"1.31.9", "1.32.1", "1.32.3"}}, {"rke2", {"1.32.3"}}},
                          {}};

struct Outcome {
  std::vector<Cell> cells;
  std::vector<std::string> names;
  std::vector<std::string> errors;  // "line:column: message | hint"
  std::vector<std::string> warnings;
};

Outcome expanded(const std::string& text, const Project& project = kProject) {
  Outcome outcome;
  const auto tell = [](const std::vector<proto::Error>& list, std::vector<std::string>& told) {
    for (const auto& error : list) {
      const auto at = error.position.value_or(proto::Position{});
      told.push_back(std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + error.message + " | " +
                     error.hint);
    }
  };
  const auto read = read_specification(text, "sweep.yaml", "sweep");
  tell(read.findings.errors, outcome.errors);
  tell(read.findings.warnings, outcome.warnings);
  if (!outcome.errors.empty()) return outcome;
  auto expansion = expand(read.specification, project);
  tell(expansion.findings.errors, outcome.errors);
  tell(expansion.findings.warnings, outcome.warnings);
  outcome.cells = std::move(expansion.cells);
  for (const auto& cell : outcome.cells) outcome.names.push_back(cell.name);
  return outcome;
}

TEST(Expansion, is_the_product_of_the_axes) {
  const auto outcome = expanded(
      "targets: [+provider-image]\n"
      "args: {UPDATE_KERNEL: true}\n"
      "axes:\n"
      "  OS_VERSION: [\"22.04\", \"24.04\"]\n"
      "  K8S_VERSION: 1.32.x\n");
  EXPECT_THAT(outcome.errors, IsEmpty());
  EXPECT_THAT(outcome.names, ElementsAre("22.04 1.32.1", "22.04 1.32.3", "24.04 1.32.1", "24.04 1.32.3"));
  EXPECT_EQ(outcome.cells[3].args, (std::map<std::string, std::string>{
                                       {"K8S_VERSION", "1.32.3"}, {"OS_VERSION", "24.04"}, {"UPDATE_KERNEL", "true"}}));
}

TEST(Expansion, versions_are_those_of_the_cells_distribution) {
  const auto outcome =
      expanded("targets: [+provider-image]\naxes: {K8S_DISTRIBUTION: [k3s, rke2], K8S_VERSION: [latest 2, 1.32.x]}\n");
  EXPECT_THAT(outcome.names, ElementsAre("k3s 1.32.1", "k3s 1.32.3", "rke2 1.32.3"));
  Project of_rke2 = kProject;
  of_rke2.args["K8S_DISTRIBUTION"] = "rke2";
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {K8S_VERSION: all}\n", of_rke2).names, ElementsAre("1.32.3"));
}

TEST(Expansion, include_exclude_and_overrides) {
  const auto outcome = expanded(
      "targets: [+provider-image]\n"
      "axes: {OS_VERSION: [\"12\", \"13\"], K8S_VERSION: latest}\n"
      "exclude:\n  - {OS_VERSION: \"12\"}\n"
      "include:\n  - {K8S_DISTRIBUTION: rke2, K8S_VERSION: 1.30.0}\n"
      "timeout: 1h\n"
      "overrides:\n  - when: {OS_VERSION: \"13\"}\n    args: {UPDATE_KERNEL: true}\n    timeout: 2h\n    priority: "
      "-5\n");
  EXPECT_THAT(outcome.errors, IsEmpty());
  EXPECT_THAT(outcome.names, ElementsAre("13 1.32.3", "1.30.0 K8S_DISTRIBUTION=rke2"));
  EXPECT_EQ(outcome.cells[0].timeout_seconds, 7200U);
  EXPECT_EQ(outcome.cells[0].priority, -5);
  EXPECT_EQ(outcome.cells[0].args.at("UPDATE_KERNEL"), "true");
  EXPECT_EQ(outcome.cells[1].timeout_seconds, 3600U);
  EXPECT_FALSE(outcome.cells[1].args.contains("UPDATE_KERNEL"));
}

TEST(Expansion, of_several_targets_names_them) {
  EXPECT_THAT(expanded("targets: [+iso, +provider-image]\naxes: {A: [x]}\n").names,
              ElementsAre("x +iso", "x +provider-image"));
}

TEST(Expansion, mistakes_are_told_where_they_are) {
  EXPECT_THAT(expanded("targets: [+iso]\naxes:\n  OS_VERSION: []\n").errors,
              ElementsAre(AllOf(HasSubstr("3:3: axis OS_VERSION has no values"))));
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {}\n").errors, ElementsAre(HasSubstr("axes is empty")));
  EXPECT_THAT(expanded("targets: [+iso]\naxes:\n  OS_VERSIONS: [a]\n").errors,
              ElementsAre(HasSubstr("3:3: OS_VERSIONS is no argument of this project | did you mean \"OS_VERSION\"")));
  EXPECT_THAT(expanded("targets: [+izo]\naxes: {A: [x]}\n").errors,
              ElementsAre(HasSubstr("1:11: there is no target +izo in . | did you mean \"+iso\"?")));
  EXPECT_THAT(expanded("targets: [+iso]\naxes:\n  K8S_VERSION: 1.99.x\n  A: [x, y]\n").errors,
              ElementsAre(HasSubstr("3:16: \"1.99.x\" is no version of k3s")));
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {A: [x]}\nexclude: [{A: x}]\n").errors,
              ElementsAre(HasSubstr("every cell is excluded")));
  EXPECT_THAT(expanded("targets: [+iso\n").errors, ElementsAre(HasSubstr("this is no YAML")));
  EXPECT_THAT(expanded("targets: [+iso]\naxis: {A: [x]}\n").errors,
              ElementsAre(HasSubstr("2:1: axis is not known"), HasSubstr("this has no \"axes\"")));
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {A: [x]}\nargs: {A: y}\n").errors,
              ElementsAre(HasSubstr("3:11: A is an axis, too")));
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {A: [x]}\npublish: all-or-nothing\n").errors,
              ElementsAre(HasSubstr("add push: true")));
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {A: [x]}\nlimits: {time: soon}\n").errors,
              ElementsAre(HasSubstr("limits.time cannot be \"soon\"")));
}

TEST(Expansion, what_has_no_effect_is_a_warning) {
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {A: [x]}\nexclude: [{A: y}]\n").warnings,
              ElementsAre(HasSubstr("nothing is excluded by this")));
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {A: [x]}\ninclude: [{A: x}]\n").warnings,
              ElementsAre(HasSubstr("this cell is there without being included")));
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {A: [x]}\noverrides: [{when: {A: y}, priority: 1}]\n").warnings,
              ElementsAre(HasSubstr("this is for no cell")));
}

TEST(SweepSchema, is_published) {
  const auto published = test::slurp(test::source_directory() / "proto/sweep.schema.json");
  EXPECT_EQ(published, edge::json_schema(sweep_schema(), "sweep.yaml of Ingot").dump(2) + "\n")
      << "write it anew: ingot sweep --schema >proto/sweep.schema.json";
}

// Told before anything of that size is made.
TEST(Expansion, of_a_million_cells_is_refused) {
  std::string list = "[";
  for (int i = 0; i < 100; ++i) list += std::to_string(i) + ", ";
  list += "x]";
  const auto outcome = expanded("targets: [+iso]\naxes: {A: " + list + ", B: " + list + ", C: " + list + "}\n");
  EXPECT_THAT(outcome.errors, ElementsAre(AllOf(HasSubstr("the axes make 1030301 cells (101 A x 101 B x 101 C)"),
                                                HasSubstr("a sweep has at most 10000"))));
  EXPECT_THAT(expanded("targets: [+iso]\naxes: {A: " + list + ", B: " + list + "}\n").errors,
              ElementsAre(HasSubstr("the axes make 10201 cells")));
}

}  // namespace
}  // namespace ingot::sweep
