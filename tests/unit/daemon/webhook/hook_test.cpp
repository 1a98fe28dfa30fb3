#include "daemon/webhook/hook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/webhook/message.h"

namespace ingot::webhook {
namespace {

using testing::HasSubstr;

// As `printf '%s' '1700000000.{"event":"x"}' | openssl dgst -sha256 -hmac key` has it.
TEST(Hook, a_signature_is_the_hmac_of_time_and_body) {
  EXPECT_EQ(signature("key", 1'700'000'000, R"({"event":"x"})").value(),
            "47523adf0d7a4582ed29b23c5da82307133f3f300d2d2253ac716853571b2806");
  EXPECT_NE(signature("key", 1'700'000'001, R"({"event":"x"})").value(),
            signature("key", 1'700'000'000, R"({"event":"x"})").value());
}

TEST(Hook, what_is_shown_of_a_url_is_its_host) {
  EXPECT_EQ(host_of("https://ci.example/hooks?token=x"), "ci.example");
  EXPECT_EQ(host_of("https://me:word@ci.example:8443"), "ci.example:8443");
  EXPECT_EQ(host_of("http://ci.example#x"), "ci.example");
}

TEST(Hook, one_that_cannot_work_is_told) {
  const auto complaint = [](const Hook& hook) {
    const auto right = check_hook(hook);
    return right ? "" : right.error().message;
  };
  EXPECT_EQ(complaint({"*", "https://ci.example/x", "/etc/ingot/key", ""}), "");
  for (const char* url : {"", "ci.example", "file:///etc/passwd", "ftp://x/"})
    EXPECT_THAT(complaint({"*", url, "", ""}), HasSubstr("begins with https://")) << url;
  EXPECT_THAT(complaint({"*", "https://", "", ""}), HasSubstr("names no host"));
  for (const char* url : {"https://a/\nheader = \"x\"", "https://a/\"", "https://a/ b", "https://a\\b"})
    EXPECT_THAT(complaint({"*", url, "", ""}), HasSubstr("has a character that no URL has")) << url;
  EXPECT_THAT(complaint({"*", "https://a", "key", ""}), HasSubstr("no absolute path"));
}

TEST(Hook, a_message_has_the_sweep_and_the_cells_that_are_not_green) {
  proto::Sweep sweep;
  sweep.id = "sweepsweep";
  sweep.state = proto::SweepState::failed;
  sweep.counts = {{"succeeded", 1}, {"failed", 1}};
  for (const auto state : {proto::JobState::succeeded, proto::JobState::failed}) {
    proto::SweepCell cell;
    cell.name = proto::name_of(state);
    cell.state = state;
    sweep.cells.push_back(cell);
  }
  const auto message = nlohmann::json::parse(message_of(sweep));
  EXPECT_EQ(message["event"], "sweep.ended");
  EXPECT_EQ(message["sweep"]["state"], "failed");
  EXPECT_EQ(message["sweep"]["counts"]["succeeded"], 1);
  EXPECT_EQ(message["cells_left_out"], 0);
  ASSERT_EQ(message["sweep"]["cells"].size(), 1U);
  EXPECT_EQ(message["sweep"]["cells"][0]["name"], "failed");
}

}  // namespace
}  // namespace ingot::webhook
