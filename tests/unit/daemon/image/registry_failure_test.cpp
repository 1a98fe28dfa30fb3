#include "daemon/image/registry_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace ingot::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// skopeo's words, as real registries make it say them.
constexpr const char* kDown =
    "pinging container registry 127.0.0.1:5: Get \"http://127.0.0.1:5/v2/\": dial tcp 127.0.0.1:5: connect: connection "
    "refused";
constexpr const char* kWrongLogin =
    "trying to reuse blob sha256:1 at destination: unable to retrieve auth token: invalid username/password: "
    "unauthorized: "
    "authentication required";
constexpr const char* kUnknownCa =
    "pinging container registry 127.0.0.1:5: Get \"https://127.0.0.1:5/v2/\": x509: certificate signed by unknown "
    "authority";
constexpr const char* kMissing = "reading manifest 9 in r/a: manifest unknown: manifest unknown";
constexpr const char* kFault =
    "writing blob: uploading layer chunked: received unexpected HTTP status: 503 Service "
    "Unavailable";

TEST(RegistryFailure, tells_what_may_pass_from_what_stays) {
  for (const char* words :
       {kDown, kFault, "pinging: StatusCode: 502, bad", "dial tcp: i/o timeout", "toomanyrequests: x"}) {
    EXPECT_TRUE(may_pass(words)) << words;
  }
  for (const char* words : {kWrongLogin, kUnknownCa, kMissing, "StatusCode: 403, x", "no such host", "no space left"}) {
    EXPECT_FALSE(may_pass(words)) << words;
  }
}

TEST(RegistryFailure, is_an_error_of_its_kind_with_a_cure_that_fits_the_rule) {
  const SourceRule bare{"*", "registry", {}};
  const SourceRule full{"*", "registry", {{"authfile", "/a.json"}, {"cert_dir", "/certs"}}};
  EXPECT_EQ(registry_error("skopeo copy x ended with status 1", kMissing, &bare).kind, ErrorKind::not_found);
  const auto login = registry_error("skopeo copy x ended with status 1", kWrongLogin, &bare);
  EXPECT_EQ(login.kind, ErrorKind::denied);
  EXPECT_THAT(login.message, testing::StartsWith("skopeo copy x ended with status 1: trying"));
  EXPECT_THAT(login.hint, HasSubstr("give the rule of `images` for this registry an option authfile"));
  EXPECT_THAT(registry_error("x", kWrongLogin, &full).hint, HasSubstr("check the login of this registry in /a.json"));
  EXPECT_THAT(registry_error("x", kUnknownCa, nullptr).hint, HasSubstr("an option cert_dir"));
  EXPECT_THAT(registry_error("x", kUnknownCa, &full).hint, HasSubstr("/certs, the rule's cert_dir, must hold the CA"));
  EXPECT_THAT(registry_error("x", kDown, &full).hint, HasSubstr("check that the registry runs"));
}

TEST(Patience, tries_again_what_may_pass_and_tells_of_it) {
  int attempts = 0;
  std::vector<std::string> lines;
  auto done = with_patience(
      [&]() -> Status {
        if (++attempts == 1) return base::fail(registry_error("push", kFault, nullptr));
        return {};
      },
      [&](const std::string& line) { lines.push_back(line); }, {});
  EXPECT_TRUE(done);
  EXPECT_EQ(attempts, 2);
  EXPECT_THAT(lines,
              ElementsAre(testing::AllOf(HasSubstr("503 Service Unavailable"), HasSubstr("; trying again in "))));
}

TEST(Patience, has_none_with_what_stays) {
  for (const char* words : {kWrongLogin, kUnknownCa, kMissing}) {
    int attempts = 0;
    auto done = with_patience(
        [&]() -> Status {
          ++attempts;
          return base::fail(registry_error("push", words, nullptr));
        },
        [](const std::string&) {}, {});
    EXPECT_FALSE(done);
    EXPECT_EQ(attempts, 1) << words;
  }
}

TEST(Patience, ends_at_once_when_canceled) {
  sys::CancelSource cancel;
  std::thread canceler([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cancel.cancel();
  });
  const auto begun = std::chrono::steady_clock::now();
  auto done = with_patience([&]() -> Status { return base::fail(registry_error("push", kDown, nullptr)); },
                            [](const std::string&) {}, cancel.token());
  canceler.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::canceled);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
}

}  // namespace
}  // namespace ingot::image
