#include "daemon/store/blob_composer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp.h"

// A tar as parts of blobs: the same bytes as a tar that is written, and those of its large files are the files' own.
namespace ingot::store {
namespace {

std::string many(char c) {
  return std::string(2U << 20, c);
}

class Composer : public testing::Test {
 protected:
  Composer()
      : database(*db::Database::open(directory / "x.db")),
        blobs(*BlobStore::open(directory / "blobs")),
        composed(*database, blobs) {
    directory.file("t/a small one", "small");
    directory.file("t/b large", many('b'));
    directory.file("t/c between", "x");
    directory.file("t/d large", many('d'));
    fs::create_hard_link(directory / "t/d large", directory / "t/e link");
    directory.file("t/f runs as its owner", many('f'));
    chmod((directory / "t/f runs as its owner").c_str(), 04755);
    files.counts = [this](const base::Digest& digest, const SharedFile& file) {
      CountsAsBlob counts;
      counts.begins = [this, digest, file]() -> Result<bool> {
        became[digest.str()] += file.bytes;
        return true;
      };
      return counts;
    };
  }
  Result<BlobComposer::Composed> compose() {
    INGOT_TRY(auto composer, BlobComposer::begin(blobs, files, cancel.token()));
    INGOT_CHECK(write_tar(*sys::RootedDir::open(directory / "t"), "/", {}, *composer));
    return composer->finish();
  }
  std::string tar() {
    std::string bytes;
    EXPECT_TRUE(write_tar(*sys::RootedDir::open(directory / "t"), "/", {}, [&](std::string_view part) -> Status {
      bytes += part;
      return {};
    }));
    return bytes;
  }
  void record(const BlobComposer::Composed& made) {
    EXPECT_TRUE(database->transaction([&] { return ComposedBlobs::record(*database, made.digest, made.parts); }));
  }
  std::string read(const base::Digest& digest) {
    std::string bytes;
    auto done = composed.read(digest, [&](std::string_view part) -> Status {
      bytes += part;
      return {};
    });
    EXPECT_TRUE(done) << done.error().message;
    return bytes;
  }
  ino_t inode(const fs::path& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  BlobStore blobs;
  ComposedBlobs composed;
  BlobComposer::Files files;
  std::map<std::string, std::uint64_t> became;
  sys::CancelSource cancel;
};

TEST_F(Composer, the_bytes_are_those_of_the_tar_and_large_files_are_not_written_again) {
  const auto made = compose();
  ASSERT_TRUE(made) << made.error().message;
  const std::string bytes = tar();
  EXPECT_EQ(made->digest, base::Digest::of(bytes));
  EXPECT_EQ(made->size, bytes.size());
  EXPECT_FALSE(composed.size(made->digest).value()) << "nobody has written it down yet";
  record(*made);
  record(*made);
  EXPECT_EQ(composed.size(made->digest).value(), bytes.size());
  EXPECT_EQ(read(made->digest), bytes);
  EXPECT_FALSE(blobs.has(made->digest));
  const auto large = base::Digest::of(many('b'));
  EXPECT_EQ(inode(blobs.path(large)), inode(directory / "t/b large"));
  EXPECT_EQ(inode(blobs.path(base::Digest::of(many('d')))), inode(directory / "t/d large"));
  EXPECT_EQ(became.size(), 2U);
  EXPECT_EQ(became[large.str()], many('b').size());
}

// Its descriptor is handed to clients, who could run it.
TEST_F(Composer, a_file_that_gives_rights_is_copied) {
  const auto made = compose();
  ASSERT_TRUE(made) << made.error().message;
  const auto copy = blobs.path(base::Digest::of(many('f')));
  EXPECT_NE(inode(copy), inode(directory / "t/f runs as its owner"));
  struct stat status {};
  ASSERT_EQ(stat(copy.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST_F(Composer, a_file_that_is_a_blob_already_is_taken_at_its_word) {
  auto writer = blobs.begin();
  ASSERT_TRUE(writer->write("something else"));
  const auto other = *writer->commit(Durability::now);
  struct stat status {};
  ASSERT_EQ(stat((directory / "t/b large").c_str(), &status), 0);
  files.known[{status.st_dev, status.st_ino}] = other;
  const auto made = compose();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(blobs.has(base::Digest::of(many('b'))));
  EXPECT_EQ(became.size(), 1U);
  // One that is gone by now is hashed as any other.
  fs::remove(blobs.path(other));
  ASSERT_TRUE(compose());
  EXPECT_TRUE(blobs.has(base::Digest::of(many('b'))));
}

TEST_F(Composer, what_counts_nowhere_stays_part_of_the_rest) {
  files.counts = nullptr;
  const auto made = compose();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->parts.size(), 1U);
  record(*made);
  EXPECT_EQ(read(made->digest), tar());
}

TEST_F(Composer, it_is_opened_like_a_blob_to_be_read_only) {
  const auto made = compose();
  record(*made);
  auto fd = composed.open_any(made->digest);
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_EQ(fcntl(fd->get(), F_GETFL) & O_ACCMODE, O_RDONLY);
  const std::string bytes = tar();
  std::string found(bytes.size() + 1, '\0');
  std::size_t got = 0;
  while (true) {
    const ssize_t piece = ::read(fd->get(), found.data() + got, found.size() - got);
    if (piece <= 0) break;
    got += static_cast<std::size_t>(piece);
  }
  found.resize(got);
  EXPECT_EQ(base::Digest::of(found), made->digest);
  const auto plain = base::Digest::of(many('b'));
  EXPECT_EQ(composed.size_of_any(plain).value(), many('b').size());
  EXPECT_TRUE(composed.open_any(plain));
}

TEST_F(Composer, what_lacks_a_part_is_not_there) {
  const auto made = compose();
  record(*made);
  fs::remove(blobs.path(base::Digest::of(many('d'))));
  EXPECT_FALSE(composed.size(made->digest).value());
  EXPECT_FALSE(composed.open_any(made->digest));
  EXPECT_FALSE(composed.open_any(base::Digest::of("unknown")));
}

TEST_F(Composer, a_canceled_one_leaves_nothing) {
  cancel.cancel();
  const auto made = compose();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::canceled);
  EXPECT_EQ(blobs.list()->size(), 0U);
}

}  // namespace
}  // namespace ingot::store
