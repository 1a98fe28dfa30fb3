#include "daemon/edge/check_custom_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/base64.h"

namespace ingot::edge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kRsa = R"(-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDgij/VcIuXisKyuXTmXJaWCmy0
cVZuwPpFwnvEWJ/JJjBGwUYRxmY4SHpfAtxSd4n8pmzHTFE5b9EbrBnNo7rLdPWG
Rxg/nMwEWfKO8/CnZHgu10+TBQOWxM2AdigHvWRvbtGZPl/wjFQ/aSJ3WiPdh6B4
M5aPZpYSkjHzkadMTwIDAQAB
-----END PUBLIC KEY-----
)";
constexpr const char* kElliptic = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsi/KH/BEhl9/ShIKLFHErtUCN3p2
o42prR4+LM6Wh+Z1XgO7Mk34rk+G/PFpOHAU2IfzCgKaiAlw6ybmBXIlQA==
-----END PUBLIC KEY-----
)";

std::vector<std::string> lines_of(const std::vector<proto::Error>& errors) {
  std::vector<std::string> lines;
  for (const auto& error : errors) lines.push_back(std::to_string(error.position->line) + " " + error.message);
  return lines;
}
std::vector<std::string> errors(const std::string& text) {
  return lines_of(check_custom_config(text, "config.yaml").errors);
}
std::string with_key(const std::string& key) {
  return "content:\n  signing:\n    publicKey:\n      base64EncodedValue: " + key + "\n";
}
std::string fault(const std::string& pem) {
  return "4 content.signing.publicKey.base64EncodedValue " + pem;
}

TEST(CheckCustomConfig, a_public_key_of_rsa_in_base64_is_right) {
  EXPECT_THAT(errors(with_key(proto::base64_encode(kRsa)) + "      description: ours\n"), IsEmpty());
  std::string folded = proto::base64_encode(kRsa);
  folded.insert(64, "\n        ");
  EXPECT_THAT(errors(with_key("|\n        " + folded)), IsEmpty());
}

TEST(CheckCustomConfig, anything_else_is_named) {
  EXPECT_THAT(errors(with_key("MIIB")), ElementsAre(fault("is no PEM in base64")));
  EXPECT_THAT(errors(with_key(proto::base64_encode(kElliptic))),
              ElementsAre(fault("is a public key, but none of RSA")));
  EXPECT_THAT(errors(with_key(proto::base64_encode("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"))),
              ElementsAre(fault("is no public key")));
  EXPECT_THAT(errors(with_key(proto::base64_encode("-----BEGIN RSA PRIVATE KEY-----\n"))),
              ElementsAre(fault("is a private key, which every host would have")));
  EXPECT_THAT(errors(with_key("|\n        -----BEGIN PUBLIC KEY-----\n        x")),
              ElementsAre(fault("is the PEM itself, and has to be in base64")));
}

TEST(CheckCustomConfig, a_private_key_is_not_repeated) {
  const auto findings =
      check_custom_config(with_key(proto::base64_encode("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n")), "config.yaml");
  ASSERT_EQ(findings.errors.size(), 1U);
  EXPECT_EQ(findings.errors.front().position->source_line, "");
}

TEST(CheckCustomConfig, keys_of_the_file_are_looked_at) {
  EXPECT_THAT(errors("content:\n  signing:\n    publickey: {}\n"),
              ElementsAre("3 content.signing.publickey is not known", "3 content.signing has no \"publicKey\""));
  EXPECT_THAT(errors("contents: {}\n"), ElementsAre("1 contents is not known", "1 this has no \"content\""));
  EXPECT_THAT(errors(""), ElementsAre("1 there is nothing in it"));
  EXPECT_THAT(errors("- a\n"), ElementsAre("1 this is a map of keys"));
  EXPECT_THAT(errors("content: {signing: {publicKey: {base64EncodedValue: }}}\n"),
              ElementsAre("1 content.signing.publicKey.base64EncodedValue has no value"));
}

}  // namespace
}  // namespace ingot::edge
