#include "proto/locally.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ingot::proto {
namespace {

TEST(Locally, errands_come_back_as_they_went) {
  LocalErrand errand;
  errand.kind = LocalErrand::Kind::give;
  errand.directory = "sub";
  errand.command = "make \"it\"\n";
  errand.env = {{"A", "1"}, {"B", ""}};
  errand.source = "out/*";
  errand.if_exists = true;
  errand.destination = "there/";
  errand.dir = true;
  const auto read = local_errand_from_json(*parse_json(dump(to_json(errand))));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read), to_json(errand));
  for (const auto kind : {LocalErrand::Kind::run, LocalErrand::Kind::take, LocalErrand::Kind::give,
                          LocalErrand::Kind::load, LocalErrand::Kind::agent, LocalErrand::Kind::known_hosts}) {
    errand.kind = kind;
    EXPECT_EQ(local_errand_from_json(to_json(errand))->kind, kind);
  }
}

TEST(Locally, an_errand_of_no_known_kind_is_none) {
  const auto read = local_errand_from_json(*parse_json(R"({"kind":"wait"})"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "field \"kind\" of an errand must be run, take, give, load, agent or known_hosts");
  EXPECT_FALSE(local_errand_from_json(*parse_json("{}")));
  EXPECT_FALSE(local_errand_from_json(*parse_json("[]")));
}

TEST(Locally, outcomes_come_back_as_they_went) {
  LocalOutcome outcome;
  outcome.exit_code = 7;
  EXPECT_EQ(local_outcome_from_json(to_json(outcome))->exit_code, 7);
  EXPECT_FALSE(local_outcome_from_json(to_json(outcome))->error);
  outcome.error = Error{ErrorKind::not_found, "none", "make one", {}, {}};
  const auto read = local_outcome_from_json(to_json(outcome));
  ASSERT_TRUE(read && read->error);
  EXPECT_EQ(read->error->kind, ErrorKind::not_found);
  EXPECT_EQ(read->error->hint, "make one");
}

}  // namespace
}  // namespace ingot::proto
