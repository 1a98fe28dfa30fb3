#include "daemon/earthfile/scope.h"

#include <gtest/gtest.h>

#include <random>

namespace ingot::earthfile {
namespace {

// The same by another way: one table that the others are written over, the strongest last.
graph::Variables written_over(const Scope& scope) {
  VariableTable all(scope.globals.entries());
  for (const auto* table : {&scope.env, &scope.args, &scope.lets}) {
    for (const auto& [name, value] : table->entries()) all.set(name, value);
  }
  return all.entries();
}

TEST(Scope, an_environment_has_each_name_once_where_it_was_declared_first) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    Scope scope;
    for (auto* table : {&scope.globals, &scope.env, &scope.args, &scope.lets}) {
      for (std::size_t i = random() % 8; i > 0; --i) {
        table->set(std::string(1, static_cast<char>('A' + random() % 10)), std::to_string(random() % 100));
      }
      if (random() % 4 == 0) table->remove("A");
    }
    const auto all = scope.all();
    ASSERT_EQ(all, written_over(scope));
    for (const auto& [name, value] : all) ASSERT_EQ(*scope.find(name), value) << name;
  }
}

TEST(Scope, a_copy_does_not_see_what_is_changed_later) {
  Scope one;
  one.args.set("A", "1");
  one.env.set("B", "1");
  const Scope before = one;
  one.args.set("A", "2");
  one.args.set("C", "3");
  Scope other = one;
  other.args.remove("A");
  EXPECT_EQ(*before.find("A"), "1");
  EXPECT_EQ(before.find("C"), nullptr);
  EXPECT_EQ(*one.find("A"), "2");
  EXPECT_EQ(other.find("A"), nullptr);
  EXPECT_EQ(before.bytes(), one.bytes() - 4);
}

TEST(Scope, few_names_and_many_are_found_alike) {
  VariableTable table;
  std::size_t bytes = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string name = "N" + std::to_string(i);
    ASSERT_EQ(table.find(name), nullptr) << i;
    table.set(name, "");
    table.set(name, std::to_string(i));
    bytes += name.size() + std::to_string(i).size() + 2;
    for (int known = 0; known <= i; ++known) {
      const std::string* value = table.find("N" + std::to_string(known));
      ASSERT_TRUE(value != nullptr && *value == std::to_string(known)) << known << " of " << i;
      ASSERT_EQ(table.place_of("N" + std::to_string(known)), static_cast<std::size_t>(known));
    }
  }
  EXPECT_EQ(table.bytes(), bytes);
  VariableTable others = table;
  others.remove("N7");
  EXPECT_EQ(others.place_of("N8"), 7U);
  EXPECT_EQ(others.find("N7"), nullptr);
  EXPECT_EQ(*table.find("N7"), "7");
}

TEST(Scope, all_of_it_is_as_it_is_now) {
  Scope scope;
  EXPECT_TRUE(scope.all().empty());
  scope.globals.set("A", "global");
  EXPECT_EQ(scope.all().front().second, "global");
  scope.lets.set("A", "let");
  EXPECT_EQ(scope.all().front().second, "let");
  const auto kept = scope.all();
  EXPECT_EQ(&scope.all().list(), &kept.list()) << "nothing changed: it is one list";
  scope.lets.set("A", "other");
  EXPECT_EQ(scope.all().front().second, "other");
  EXPECT_EQ(kept.front().second, "let") << "of the step before";
  scope.lets.remove("A");
  EXPECT_EQ(scope.all().front().second, "global");
  Scope copy = scope;
  copy.env.set("B", "1");
  EXPECT_EQ(copy.all().size(), 2U);
  EXPECT_EQ(scope.all().size(), 1U);
}

}  // namespace
}  // namespace ingot::earthfile
