#include "proto/secrets.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "proto/codec.h"

namespace ingot::proto {
namespace {

std::string error_of(const nlohmann::json& body) {
  auto secrets = secrets_of_submission(body);
  return secrets ? "no error" : secrets.error().message;
}

TEST(Secrets, travel_as_base64) {
  const Secrets secrets{{"A", "text"}, {"b/c", std::string("\0\xff", 2)}, {"empty", ""}};
  const nlohmann::json body = {{"target", "+t"}, {"secrets", secrets_to_json(secrets)}};
  EXPECT_EQ(body["secrets"]["A"], "dGV4dA==");
  EXPECT_EQ(secrets_of_submission(body).value_or(Secrets()), secrets);
  EXPECT_TRUE(secrets_of_submission({{"target", "+t"}})->empty());
}

TEST(Secrets, are_in_no_specification) {
  const nlohmann::json body = {{"context", "c"}, {"target", "+t"}, {"secrets", {{"A", "dGV4dA=="}}}};
  auto spec = job_spec_from_json(body);
  ASSERT_TRUE(spec);
  EXPECT_EQ(dump(to_json(*spec)).find("dGV4dA"), std::string::npos);
  spec->secret_names = {"A"};
  EXPECT_EQ(job_spec_from_json(to_json(*spec))->secret_names, spec->secret_names);
}

TEST(Secrets, mistakes_name_the_id_and_no_value) {
  EXPECT_EQ(error_of({{"secrets", {{"A", "hunter2!"}}}}), "the value of the secret \"A\" is no base64");
  EXPECT_EQ(error_of({{"secrets", {"hunter2"}}}), "field \"secrets\" of a submission must be an object of strings");
  EXPECT_EQ(error_of({{"secrets", {{"", "dGV4dA=="}}}}), "one of the job's secrets has no proper id");
  EXPECT_EQ(error_of({{"secrets", {{"a=b", "dGV4dA=="}}}}), "one of the job's secrets has no proper id");
  EXPECT_EQ(error_of({{"secrets", {{"a\nb", "dGV4dA=="}}}}), "one of the job's secrets has no proper id");
}

TEST(Secrets, are_bounded) {
  EXPECT_TRUE(check({{"A", std::string(kLongestSecret, 'x')}}));
  EXPECT_EQ(check({{"A", std::string(kLongestSecret + 1, 'x')}}).error().kind, ErrorKind::too_large);
  Secrets many;
  for (int i = 0; i < 3; ++i) many[std::to_string(i)] = std::string(kLongestSecret, 'x');
  EXPECT_EQ(check(many).error().kind, ErrorKind::too_large);
  many.clear();
  for (std::size_t i = 0; i <= kMostSecrets; ++i) many[std::to_string(i)] = "x";
  EXPECT_EQ(check(many).error().kind, ErrorKind::too_large);
}

TEST(Secrets, credentials_of_git_are_for_no_step) {
  const Secrets all{{"A", "text"}, {"ingot.git-credentials.h.example", "protocol=https\nusername=me\npassword=a=b\n"}};
  const auto given = git_credentials_of(all.at("ingot.git-credentials.h.example"));
  EXPECT_EQ(given.username, "me");
  EXPECT_EQ(given.password, "a=b");
  EXPECT_EQ(secrets_for_steps(all), (Secrets{{"A", "text"}}));
  EXPECT_EQ(values_to_hide(all), (std::vector<std::string>{"text", "a=b"})) << "a name is in too many innocent words";
  EXPECT_EQ(git_credentials_of("").password, "");
}

}  // namespace
}  // namespace ingot::proto
