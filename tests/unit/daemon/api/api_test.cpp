#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/api/byte_range.h"
#include "daemon/api/handlers.h"
#include "daemon/api/router.h"

namespace ingot::api {
namespace {

using testing::HasSubstr;

TEST(ByteRange, reads_what_http_has) {
  auto part = [](const std::string& header) {
    const ByteRange range = parse_range(header, 100);
    return std::make_tuple(range.kind, range.offset, range.size);
  };
  using Kind = ByteRange::Kind;
  EXPECT_EQ(part("bytes=0-9"), std::make_tuple(Kind::part, 0, 10));
  EXPECT_EQ(part("bytes=90-"), std::make_tuple(Kind::part, 90, 10));
  EXPECT_EQ(part("bytes=90-500"), std::make_tuple(Kind::part, 90, 10));
  EXPECT_EQ(part("bytes=-5"), std::make_tuple(Kind::part, 95, 5));
  EXPECT_EQ(part("bytes=-500"), std::make_tuple(Kind::part, 0, 100));
  EXPECT_EQ(part("bytes=100-"), std::make_tuple(Kind::unsatisfiable, 0, 0));
  for (const char* nonsense : {"", "lines=1-2", "bytes=5-2", "bytes=1-2,4-5", "bytes=a-b", "bytes=-"}) {
    EXPECT_EQ(part(nonsense), std::make_tuple(Kind::whole, 0, 100)) << nonsense;
  }
}

Request request(const std::string& method, const std::string& target) {
  Request made;
  made.method = method;
  EXPECT_TRUE(split_target(target, made));
  return made;
}

TEST(Router, finds_decodes_and_refuses) {
  auto asked = request("GET", "/v1/jobs/a%2Fb/artifacts/1?x=a+b&y");
  auto match = find_route(asked);
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(asked.path_values["id"], "a/b");
  EXPECT_EQ(asked.query["x"], "a b");
  EXPECT_EQ(asked.query["y"], "");
  asked = request("DELETE", "/v1/jobs");
  match = find_route(asked);
  EXPECT_EQ(match.refusal->status, 405);
  asked = request("GET", "/v1/jobz");
  match = find_route(asked);
  EXPECT_EQ(match.refusal->status, 404);
  EXPECT_THAT(std::get<std::string>(match.refusal->body), HasSubstr("did you mean \\\"/v1/jobs\\\"?"));
  Request bad;
  EXPECT_FALSE(split_target("/x?a=%zz", bad));
}

}  // namespace
}  // namespace ingot::api
