#include "daemon/store/blobs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "tests/support/temp.h"

namespace ingot::store {
namespace {

class Blobs : public testing::Test {
 protected:
  BlobStore open(const std::string& boot = "boot-1") { return *BlobStore::open(directory / "blobs", boot); }
  static base::Digest put(const BlobStore& blobs, const std::string& text, Durability durability) {
    auto writer = *blobs.begin();
    EXPECT_TRUE(writer.write(text));
    return *writer.commit(durability);
  }
  std::size_t unsynced(const std::string& boot = "boot-1") {
    const fs::path marks = directory / ("blobs/unsynced-" + boot);
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(marks), fs::directory_iterator()));
  }
  test::TempDirectory directory;
};

TEST_F(Blobs, bytes_that_are_not_what_was_announced_are_refused) {
  auto blobs = open();
  auto writer = *blobs.begin();
  ASSERT_TRUE(writer.write("other"));
  auto refused = writer.commit(Durability::now, base::Digest::of("hello"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  EXPECT_EQ(proto::render(refused.error()), "the bytes have digest " + base::Digest::of("other").str() + ", not " +
                                                base::Digest::of("hello").str() +
                                                "\nhint: the file changed while it was sent; send it again");
  EXPECT_FALSE(blobs.has(base::Digest::of("other")));
}

TEST_F(Blobs, what_writers_left_at_a_crash_is_removed) {
  open();
  directory.file("blobs/tmp/half", "half of it");
  open();
  EXPECT_TRUE(fs::is_empty(directory / "blobs/tmp"));
}

TEST_F(Blobs, one_that_was_not_synced_is_dropped_after_a_power_cut) {
  const auto digest = put(open(), "not yet on the disk", Durability::later);
  EXPECT_EQ(unsynced(), 1U);
  EXPECT_TRUE(open("boot-1").has(digest)) << "a killed daemon loses nothing";
  EXPECT_FALSE(open("boot-2").has(digest)) << "the machine went down: its bytes may be others";
  EXPECT_FALSE(fs::exists(directory / "blobs/unsynced-boot-1"));
}

TEST_F(Blobs, once_synced_it_survives_a_power_cut) {
  auto blobs = open();
  const auto by_all = put(blobs, "a", Durability::later);
  ASSERT_TRUE(blobs.sync_all());
  const auto at_once = put(blobs, "b", Durability::now);
  EXPECT_EQ(unsynced(), 0U);
  // The same bytes once more, this time to last.
  const auto again = put(blobs, "c", Durability::later);
  EXPECT_EQ(unsynced(), 1U);
  EXPECT_EQ(put(blobs, "c", Durability::now), again);
  EXPECT_EQ(unsynced(), 0U);
  auto after = open("boot-2");
  EXPECT_TRUE(after.has(by_all) && after.has(at_once) && after.has(again));
}

TEST_F(Blobs, a_file_becomes_one_under_a_second_name) {
  auto blobs = open();
  const auto file = directory.file("layer", "a layer");
  const auto digest = base::Digest::of("a layer");
  const auto open_file = *sys::open_file(file, O_RDONLY);
  ASSERT_TRUE(blobs.adopt(open_file.get(), digest, Durability::later));
  ASSERT_TRUE(blobs.adopt(open_file.get(), digest, Durability::later)) << "once more changes nothing";
  EXPECT_EQ(fs::hard_link_count(blobs.path(digest)), 3U) << "its own, the blob's and the mark: no bytes were copied";
  EXPECT_EQ(unsynced(), 1U);
  fs::remove(file);
  EXPECT_EQ(test::slurp(blobs.path(digest)), "a layer");
  EXPECT_FALSE(open("boot-2").has(digest)) << "nobody synced it";
}

TEST_F(Blobs, who_counts_a_file_knows_before_it_is_one) {
  auto blobs = open();
  const auto digest = base::Digest::of("a layer");
  std::vector<std::string> told;
  CountsAsBlob counts;
  counts.begins = [&]() -> Result<bool> {
    told.emplace_back(blobs.has(digest) ? "too late" : "begins");
    return true;
  };
  counts.ends = [&]() -> Status {
    told.emplace_back("ends");
    return {};
  };
  const auto file = *sys::open_file(directory.file("layer", "a layer"), O_RDONLY);
  const auto equal = *sys::open_file(directory.file("equal", "a layer"), O_RDONLY);
  ASSERT_TRUE(blobs.adopt(file.get(), digest, Durability::now, counts));
  ASSERT_TRUE(blobs.adopt(equal.get(), digest, Durability::now, counts)) << "another file is the blob";
  EXPECT_EQ(told, std::vector<std::string>{"begins"});
}

TEST_F(Blobs, who_cannot_count_it_keeps_it_from_becoming_one_and_nothing_is_left) {
  auto blobs = open();
  CountsAsBlob counts;
  counts.begins = []() -> Result<bool> { return base::fail(ErrorKind::no_space, "full"); };
  const auto file = *sys::open_file(directory.file("layer", "a layer"), O_RDONLY);
  EXPECT_FALSE(blobs.adopt(file.get(), base::Digest::of("a layer"), Durability::now, counts));
  EXPECT_EQ(fs::hard_link_count(directory / "layer"), 1U);
}

TEST_F(Blobs, a_file_that_another_writer_was_quicker_with_is_counted_as_before) {
  auto blobs = open();
  const auto digest = base::Digest::of("a layer");
  bool ended = false;
  CountsAsBlob counts;
  counts.begins = [&]() -> Result<bool> { return put(blobs, "a layer", Durability::now) == digest; };
  counts.ends = [&]() -> Status {
    ended = true;
    return {};
  };
  const auto file = *sys::open_file(directory.file("layer", "a layer"), O_RDONLY);
  ASSERT_TRUE(blobs.adopt(file.get(), digest, Durability::now, counts));
  EXPECT_TRUE(ended);
  EXPECT_EQ(fs::hard_link_count(directory / "layer"), 1U);
}

TEST_F(Blobs, a_file_that_is_not_to_be_handed_out_does_not_become_one) {
  auto blobs = open();
  const auto file = directory.file("open", "for all");
  for (const mode_t mode : {0666, 0620, 04755, 02755}) {
    ASSERT_EQ(chmod(file.c_str(), mode), 0);
    const auto refused =
        blobs.adopt(sys::open_file(file, O_RDONLY)->get(), base::Digest::of("for all"), Durability::now);
    ASSERT_FALSE(refused) << mode;
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
    EXPECT_FALSE(blobs.has(base::Digest::of("for all")));
  }
}

TEST_F(Blobs, a_mark_without_its_blob_keeps_nothing) {
  auto blobs = open();
  const auto kept = put(blobs, "kept", Durability::later);
  const auto lost = put(blobs, "lost", Durability::later);
  fs::remove(blobs.path(lost));
  EXPECT_EQ(unsynced(), 2U);
  EXPECT_TRUE(open().has(kept));
  EXPECT_EQ(unsynced(), 1U);
}

TEST_F(Blobs, many_writers_of_the_same_bytes_agree) {
  auto blobs = open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        put(blobs, "round " + std::to_string(round), i % 2 == 0 ? Durability::now : Durability::later);
      }
      EXPECT_TRUE(blobs.sync_all());
    });
  }
  for (auto& thread : threads) thread.join();
  for (int round = 0; round < 10; ++round) {
    const std::string text = "round " + std::to_string(round);
    EXPECT_EQ(test::slurp(blobs.path(base::Digest::of(text))), text);
  }
  EXPECT_TRUE(fs::is_empty(directory / "blobs/tmp"));
  EXPECT_EQ(unsynced(), 0U);
}

}  // namespace
}  // namespace ingot::store
