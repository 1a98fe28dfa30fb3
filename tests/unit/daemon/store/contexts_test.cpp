#include "daemon/store/contexts.h"

#include <gtest/gtest.h>

#include "proto/codec.h"
#include "tests/support/temp.h"

namespace ingot::store {
namespace {

using proto::EntryType;

class Contexts : public testing::Test {
 protected:
  Contexts() : blobs(*BlobStore::open(directory / "blobs", "boot-1")) {}
  ContextStore open() { return *ContextStore::open(directory / "contexts", blobs, {}); }
  proto::ManifestEntry file(const std::string& path, const std::string& text) {
    auto writer = *blobs.begin();
    EXPECT_TRUE(writer.write(text));
    return {path, EntryType::file, 0644, text.size(), 0, writer.commit(Durability::later)->str(), ""};
  }
  test::TempDirectory directory;
  BlobStore blobs;
};

TEST_F(Contexts, a_kept_one_survives_a_power_cut_with_its_files) {
  proto::ContextManifest manifest{{file("b", "two"), file("a", "one")}};
  auto status = open().offer(manifest);
  ASSERT_TRUE(status && status->missing.empty());
  EXPECT_EQ(status->digest, base::Digest::of(proto::canonical_text(manifest)).str());
  auto later = *BlobStore::open(directory / "blobs", "boot-2");
  EXPECT_TRUE(later.has(base::Digest::of("one")));
  EXPECT_EQ(
      ContextStore::open(directory / "contexts", later, {})->load(*base::Digest::parse(status->digest))->entries.size(),
      2U);
}

TEST_F(Contexts, a_file_that_is_missing_is_asked_for_once) {
  const std::string digest = base::Digest::of("x").str();
  auto status =
      open().offer({{{"a", EntryType::file, 0644, 1, 0, digest, ""}, {"b", EntryType::file, 0644, 1, 0, digest, ""}}});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->missing, std::vector<std::string>{digest});
}

TEST_F(Contexts, a_size_that_is_not_the_files_is_refused) {
  auto small = file("a", "four");
  auto lie = small;
  lie.path = "b";
  lie.size = 0;
  auto refused = open().offer({{small, lie}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(proto::render(refused.error()),
            "context path \"b\" has 4 bytes; its manifest says 0\nhint: the file changed while it was read; send the "
            "context again");
}

TEST_F(Contexts, one_that_is_not_kept_or_damaged_is_said) {
  auto contexts = open();
  const auto digest = base::Digest::of("nothing");
  auto absent = contexts.load(digest);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::not_found);
  EXPECT_EQ(proto::render(absent.error()),
            "there is no context " + digest.str() + "\nhint: send its manifest and files first (POST /v1/contexts)");
  directory.file("contexts/" + digest.hex() + ".json", "{\"entr");
  EXPECT_TRUE(contexts.load(digest).error().message.starts_with("context " + digest.str() + " is damaged: "));
}

}  // namespace
}  // namespace ingot::store
