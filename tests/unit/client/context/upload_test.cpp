#include "client/context/upload.h"

#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/base/digest.h"
#include "proto/codec.h"
#include "tests/unit/client/fake_daemon.h"

namespace ingot::client {
namespace {

using nlohmann::json;

// What the daemon does with a context, less everything else: keeps blobs, tells which are missing.
class Blobs {
 public:
  FakeAnswer operator()(const FakeRequest& request) {
    std::lock_guard lock(mutex);
    if (request.target == "/v1/contexts") return offer(request);
    const std::string digest = request.target.substr(std::string("/v1/blobs/").size());
    if (before_put) before_put();
    const bool by_descriptor = request.headers.contains("ingot-descriptor");
    if (by_descriptor && !request.passed) return {501, R"({"kind":"unsupported","message":"no descriptor came"})"};
    if (base::Digest::of(by_descriptor ? *request.passed : request.body).str() != digest) {
      return {400, R"({"kind":"invalid","message":"the digest is another"})", {}, {}, "", std::string::npos, true};
    }
    if (full) return {507, R"({"kind":"no_space","message":"the disk is full"})"};
    blobs.insert(digest);
    return {201};
  }
  std::set<std::string> blobs;
  bool full = false;
  bool takes_descriptors = false;
  std::function<void()> before_put;

 private:
  std::mutex mutex;
  FakeAnswer offer(const FakeRequest& request) const {
    auto manifest = proto::manifest_from_json(json::parse(request.body));
    proto::ContextStatus status;
    status.digest = base::Digest::of(proto::canonical_text(*manifest)).str();
    std::set<std::string> missing;
    for (const auto& entry : manifest->entries) {
      if (entry.type == proto::EntryType::file && !blobs.contains(entry.digest)) missing.insert(entry.digest);
    }
    status.missing.assign(missing.begin(), missing.end());
    status.takes_descriptors = takes_descriptors;
    return {200, proto::dump(proto::to_json(status))};
  }
};

class UploadTest : public testing::Test {
 protected:
  test::TempDirectory directory;
  Blobs blobs;
  std::vector<UploadProgress> told;

  void SetUp() override {
    setenv("XDG_CACHE_HOME", (directory / "cache").c_str(), 1);
    directory.file("p/a", "aaa");
    directory.file("p/b", "bbbb");
    directory.file("p/same as a", "aaa");
  }
  Result<std::string> upload(FakeDaemon& fake) {
    Daemon daemon(fake.socket());
    return upload_project(daemon, directory / "p", [&](const UploadProgress& now) { told.push_back(now); });
  }
};

TEST_F(UploadTest, sends_each_content_once_over_one_connection) {
  FakeDaemon fake(std::ref(blobs));
  auto digest = upload(fake);
  ASSERT_TRUE(digest) << proto::render(digest.error());
  EXPECT_EQ(digest->substr(0, 7), "sha256:");
  EXPECT_EQ(fake.count("PUT", "/v1/blobs/"), 2U);
  EXPECT_EQ(fake.count("POST", "/v1/contexts"), 2U);
  for (const auto& request : fake.requests()) EXPECT_EQ(request.connection, 0);
  EXPECT_EQ(told.back().files_sent, 2U);
  EXPECT_EQ(told.back().files_to_send, 2U);
  EXPECT_EQ(told.back().bytes_sent, 7U);
  EXPECT_EQ(told.back().bytes_to_send, 7U);
}

TEST_F(UploadTest, sends_much_over_several_connections) {
  for (char name = 'c'; name < 'k'; ++name) directory.file("p/" + std::string(1, name), std::string(3 << 20, name));
  FakeDaemon fake(std::ref(blobs));
  auto digest = upload(fake);
  ASSERT_TRUE(digest) << proto::render(digest.error());
  EXPECT_EQ(blobs.blobs.size(), 10U);
  EXPECT_EQ(fake.count("PUT", "/v1/blobs/"), 10U);
  std::set<int> connections;
  for (const auto& request : fake.requests()) connections.insert(request.connection);
  EXPECT_GT(connections.size(), 1U);
  EXPECT_EQ(told.back().files_sent, 10U);
  EXPECT_EQ(told.back().bytes_sent, told.back().bytes_to_send);
  blobs.blobs.clear();
  blobs.full = true;
  digest = upload(fake);
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().kind, ErrorKind::no_space);
}

TEST_F(UploadTest, hands_files_over_to_a_daemon_that_takes_them) {
  for (char name = 'c'; name < 'h'; ++name) directory.file("p/" + std::string(1, name), std::string(3 << 20, name));
  blobs.takes_descriptors = true;
  FakeDaemon fake(std::ref(blobs));
  auto digest = upload(fake);
  ASSERT_TRUE(digest) << proto::render(digest.error());
  EXPECT_EQ(blobs.blobs.size(), 7U);
  for (const auto& request : fake.requests()) {
    if (request.method != "PUT") continue;
    EXPECT_TRUE(request.passed);
    EXPECT_EQ(request.body, "");
    EXPECT_EQ(request.headers.at("ingot-descriptor"), std::to_string(request.passed->size()));
  }
  EXPECT_EQ(told.back().bytes_sent, told.back().bytes_to_send);
}

TEST_F(UploadTest, sends_bytes_where_descriptors_do_not_arrive) {
  blobs.takes_descriptors = true;
  FakeDaemon fake(std::ref(blobs));
  fake.drops_descriptors = true;
  auto digest = upload(fake);
  ASSERT_TRUE(digest) << proto::render(digest.error());
  EXPECT_EQ(blobs.blobs.size(), 2U);
  EXPECT_EQ(fake.count("PUT", "/v1/blobs/"), 3U) << "it is tried once";
}

TEST_F(UploadTest, a_file_that_is_edited_before_it_is_handed_over_is_looked_at_again) {
  blobs.takes_descriptors = true;
  bool edited = false;
  blobs.before_put = [&] {
    if (!std::exchange(edited, true)) {
      directory.file("p/a", "AAA");
      directory.file("p/b", "BBBB");
      directory.file("p/same as a", "AAA");
    }
  };
  FakeDaemon fake(std::ref(blobs));
  auto digest = upload(fake);
  ASSERT_TRUE(digest) << proto::render(digest.error());
  EXPECT_TRUE(blobs.blobs.contains(base::Digest::of("AAA").str()));
  EXPECT_TRUE(blobs.blobs.contains(base::Digest::of("BBBB").str()));
}

TEST_F(UploadTest, sends_nothing_that_is_there_already) {
  FakeDaemon fake(std::ref(blobs));
  ASSERT_TRUE(upload(fake));
  told.clear();
  ASSERT_TRUE(upload(fake));
  EXPECT_EQ(fake.count("PUT", "/"), 2U);
  EXPECT_EQ(fake.count("POST", "/v1/contexts"), 3U);
  EXPECT_TRUE(told.empty());
}

TEST_F(UploadTest, a_file_that_is_edited_meanwhile_is_looked_at_again) {
  bool edited = false;
  blobs.before_put = [&] {
    if (!std::exchange(edited, true)) {
      directory.file("p/a", "AAA");
      directory.file("p/b", "BBBB");
      directory.file("p/same as a", "AAA");
    }
  };
  FakeDaemon fake(std::ref(blobs));
  auto digest = upload(fake);
  ASSERT_TRUE(digest) << proto::render(digest.error());
  EXPECT_TRUE(blobs.blobs.contains(base::Digest::of("AAA").str()));
  EXPECT_TRUE(blobs.blobs.contains(base::Digest::of("BBBB").str()));
}

TEST_F(UploadTest, a_file_that_vanishes_meanwhile_is_left_out) {
  bool removed = false;
  blobs.before_put = [&] {
    if (!std::exchange(removed, true)) {
      for (const char* name : {"p/a", "p/same as a", "p/b"}) std::filesystem::remove(directory / name);
    }
  };
  FakeDaemon fake(std::ref(blobs));
  auto digest = upload(fake);
  EXPECT_TRUE(digest) << proto::render(digest.error());
}

TEST_F(UploadTest, a_full_disk_is_told_with_the_file_and_not_tried_again) {
  blobs.full = true;
  FakeDaemon fake(std::ref(blobs));
  auto digest = upload(fake);
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().kind, ErrorKind::no_space);
  ASSERT_EQ(digest.error().context.size(), 1U);
  EXPECT_EQ(digest.error().context.front().substr(0, 14), "while sending ");
  EXPECT_EQ(fake.count("PUT", "/"), 1U);
}

TEST_F(UploadTest, a_daemon_that_never_has_enough_is_given_up) {
  FakeDaemon fake([&](const FakeRequest& request) {
    if (request.method == "PUT") return FakeAnswer{201};
    return blobs(request);
  });
  auto digest = upload(fake);
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().message, "the daemon keeps asking for files that were sent");
  EXPECT_EQ(fake.count("POST", "/v1/contexts"), 6U);
}

TEST_F(UploadTest, a_daemon_that_asks_for_what_was_not_offered_is_at_fault) {
  FakeDaemon fake([](const FakeRequest&) {
    return FakeAnswer{200, R"({"digest":"sha256:x","missing":["sha256:/etc/shadow"]})"};
  });
  auto digest = upload(fake);
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().message, "the daemon asks for sha256:/etc/shadow, which no file has");
}

}  // namespace
}  // namespace ingot::client
