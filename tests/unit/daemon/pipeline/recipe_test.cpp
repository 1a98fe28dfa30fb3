#include "daemon/pipeline/recipe.h"

#include <gtest/gtest.h>

namespace ingot::pipeline {
namespace {

TEST(Warnings, fail_a_job_that_is_strict) {
  proto::JobSpec spec;
  EXPECT_TRUE(check_warnings(spec, {"Earthfile:3:1: no such ARG\n  ARG\n  ^"}));
  spec.strict = true;
  EXPECT_TRUE(check_warnings(spec, {}));
  EXPECT_EQ(proto::render(check_warnings(spec, {"Earthfile:3:1: no such ARG\n  ARG\n  ^"}).error()),
            "there is a warning, and --strict lets none pass\n  warning: Earthfile:3:1: no such ARG\n"
            "hint: correct what it names, or build without --strict");
  EXPECT_EQ(check_warnings(spec, {"a", "b"}).error().message, "there are 2 warnings, and --strict lets none pass");
}

}  // namespace
}  // namespace ingot::pipeline
