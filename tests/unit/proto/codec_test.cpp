#include "proto/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace ingot::proto {
namespace {

using nlohmann::json;

json sent(const json& body) {
  auto parsed = parse_json(dump(body));
  EXPECT_TRUE(parsed);
  return *parsed;
}

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(Json, what_is_none_is_an_error_with_its_place_and_no_exception) {
  EXPECT_EQ(parse_json("{\"a\":").error().message, "this is no JSON: it stops making sense at byte 6");
  EXPECT_EQ(parse_json("").error().message, "this is no JSON: it is empty");
  EXPECT_EQ(parse_json("{} x").error().message, "this is no JSON: it stops making sense at byte 4");
  EXPECT_EQ(parse_json("\"\xff\"").error().message, "this is no JSON: it stops making sense at byte 2");
  EXPECT_EQ(parse_json("{\"a\": 1e999999}").error().message, "this is no JSON: a number in it is out of range");
  EXPECT_EQ(parse_json("nul").error().kind, ErrorKind::invalid);
}

TEST(Json, nesting_is_bounded) {
  auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(100)));
  EXPECT_EQ(parse_json(nested(1000)).error().message, "the JSON is nested too deep");
  EXPECT_EQ(parse_json(nested(200'000)).error().message, "the JSON is nested too deep");
  EXPECT_EQ(parse_json(std::string(1'000'000, '[')).error().kind, ErrorKind::invalid);
}

TEST(Json, bytes_that_are_no_utf8_are_replaced_when_written) {
  EXPECT_EQ(dump(json("\xff")), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(dump(json{{"\xc3", 1}}), "{\"\xEF\xBF\xBD\":1}");
  EXPECT_EQ(dump(json("two\nlines")), "\"two\\nlines\"");
}

TEST(Codec, the_version_comes_back) {
  const VersionInfo version{"1.2.3", 7, 3, {"jobs", "events"}};
  auto same = version_from_json(sent(to_json(version)));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->version, "1.2.3");
  EXPECT_EQ(same->api, 7);
  EXPECT_EQ(same->api_oldest, 3);
  EXPECT_EQ(same->features, version.features);
  EXPECT_EQ(version_from_json(json::object()).error().message, "field \"api\" of a version is missing");
  EXPECT_EQ(version_from_json({{"api", 1}, {"features", "x"}}).error().message,
            "field \"features\" of a version must be a list of strings");
}

TEST(Codec, a_host_check_comes_back) {
  const HostCheck check{"runtime", false, false, "none", "install runc"};
  auto same = host_check_from_json(sent(to_json(check)));
  ASSERT_TRUE(same);
  EXPECT_EQ(to_json(*same), to_json(check));
  EXPECT_FALSE(same->required);
  EXPECT_EQ(host_check_from_json({{"name", "x"}}).error().message, "field \"ok\" of a host check is missing");
}

TEST(Codec, a_manifest_comes_back) {
  ContextManifest manifest;
  manifest.entries = {{"a b/ü", EntryType::file, 04755, std::numeric_limits<std::uint64_t>::max(), -5, kDigest, ""},
                      {"d", EntryType::directory, 0755, 0, std::numeric_limits<std::int64_t>::min(), "", ""},
                      {"l", EntryType::symlink, 0777, 0, 9, "", "a b/ü"}};
  auto same = manifest_from_json(sent(to_json(manifest)));
  ASSERT_TRUE(same);
  ASSERT_EQ(same->entries.size(), 3U);
  EXPECT_EQ(same->entries[0].size, manifest.entries[0].size);
  EXPECT_EQ(same->entries[0].mtime_ns, -5);
  EXPECT_EQ(same->entries[1].type, EntryType::directory);
  EXPECT_EQ(same->entries[2].link_target, "a b/ü");
  EXPECT_EQ(canonical_text(*same), canonical_text(manifest));
}

TEST(Codec, a_manifest_that_is_wrong_is_told_by_field_and_entry) {
  auto problem = [](const char* text) { return manifest_from_json(json::parse(text)).error(); };
  EXPECT_EQ(problem("{}").message, "field \"entries\" of a manifest is missing");
  EXPECT_EQ(problem(R"({"entries":{}})").message, "field \"entries\" must be a list");
  const Error second = problem(R"({"entries":[{"path":"a","type":"directory"},{"path":7,"type":"file"}]})");
  EXPECT_EQ(second.message, "field \"path\" of a manifest entry must be a string");
  EXPECT_EQ(second.context, std::vector<std::string>{"in entries[1]"});
  EXPECT_EQ(problem(R"({"entries":[{"path":"a","type":"fifo"}]})").message, "\"fifo\" is no type of a manifest entry");
  EXPECT_EQ(problem(R"({"entries":[{"path":"a","type":"file","mode":4096}]})").message,
            "the mode of a manifest entry must be below 010000");
  EXPECT_EQ(problem(R"({"entries":[{"path":"a","type":"file","size":-1}]})").message,
            "field \"size\" of a manifest entry must be a whole number within its bounds");
  EXPECT_EQ(problem(R"({"entries":[3]})").message, "a manifest entry must be a JSON object");
}

TEST(Codec, the_status_of_a_context_comes_back) {
  const ContextStatus status{kDigest, {kDigest}, true};
  auto same = context_status_from_json(sent(to_json(status)));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->digest, kDigest);
  EXPECT_EQ(same->missing, status.missing);
  // Without the list nobody knows whether the context is complete.
  EXPECT_EQ(context_status_from_json({{"digest", kDigest}}).error().message,
            "field \"missing\" of a context status is missing");
}

TEST(Codec, the_canonical_text_does_not_depend_on_order_nor_on_what_a_type_does_not_have) {
  ContextManifest one;
  one.entries = {{"b", EntryType::file, 0644, 1, 5, "sha256:x", ""}, {"a", EntryType::directory, 0755, 0, 5, "", ""}};
  EXPECT_EQ(canonical_text(one),
            "[\"a\",\"directory\",493,0,5,\"\",\"\"]\n[\"b\",\"file\",420,1,5,\"sha256:x\",\"\"]\n");
  ContextManifest two;
  two.entries = {one.entries[1], one.entries[0]};
  EXPECT_EQ(canonical_text(one), canonical_text(two));
  two.entries[0].size = 9;  // of a directory: means nothing
  EXPECT_EQ(canonical_text(one), canonical_text(two));
  two.entries[0].mode = 0700;
  EXPECT_NE(canonical_text(one), canonical_text(two));
}

// Every decoder takes any JSON without an exception: each field of a good body in turn is replaced by everything else.
TEST(Codec, no_body_makes_a_decoder_throw) {
  const std::vector<json> odd = {
      nullptr,          true,       -1,    1e300, "x", "", json::array(), json::object(), {{"a", 1}},
      json::array({1}), 1ULL << 63, "\xff"};
  const std::vector<json> bodies = {
      to_json(VersionInfo{}),   to_json(HostCheck{}), to_json(ContextManifest{{ManifestEntry{}}}),
      to_json(ContextStatus{}), to_json(JobSpec{}),   to_json(Job{}),
      to_json(Artifact{}),      to_json(Event{})};
  auto decode_all = [](const json& body) {
    (void)version_from_json(body);
    (void)host_check_from_json(body);
    (void)manifest_from_json(body);
    (void)context_status_from_json(body);
    (void)job_spec_from_json(body);
    (void)job_from_json(body);
    (void)artifact_from_json(body);
    (void)event_from_json(body);
    (void)error_from_json(body);
  };
  for (const auto& value : odd) EXPECT_NO_THROW(decode_all(value)) << dump(value);
  for (const auto& body : bodies) {
    for (const auto& [key, unused] : body.items()) {
      for (const auto& value : odd) {
        json changed = body;
        changed[key] = value;
        EXPECT_NO_THROW(decode_all(changed)) << dump(changed);
      }
    }
  }
}

TEST(Codec, no_text_makes_the_parser_throw) {
  const std::string good = dump(to_json(Job{}));
  std::mt19937 random(7);
  for (int i = 0; i < 5000; ++i) {
    std::string text = good;
    for (int change = 0; change < 3; ++change) text[random() % text.size()] = static_cast<char>(random());
    EXPECT_NO_THROW({
      if (auto parsed = parse_json(text)) (void)job_from_json(*parsed);
    }) << text;
  }
}

}  // namespace
}  // namespace ingot::proto
