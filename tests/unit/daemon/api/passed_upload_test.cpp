#include "daemon/api/passed_upload.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/support/temp.h"

namespace ingot::api {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class PassedUploadTest : public testing::Test {
 protected:
  test::TempDirectory directory;
  store::BlobStore blobs = *store::BlobStore::open(directory / "blobs");
  fs::path file = directory.file("f", "some bytes");
  const base::Digest digest = base::Digest::of("some bytes");

  static sys::UniqueFd open(const fs::path& path, int flags = O_RDONLY) { return *sys::open_file(path, flags); }
  Status keep_file(sys::UniqueFd descriptor, std::uint64_t size = 10) {
    PassedUpload upload;
    upload.digest = digest;
    upload.size = size;
    upload.file = std::move(descriptor);
    auto kept = keep(blobs, upload);
    EXPECT_FALSE(upload.file) << "it is closed, whatever came of it";
    EXPECT_TRUE(fs::is_empty(directory / "blobs/tmp"));
    EXPECT_EQ(blobs.has(digest), kept.has_value());
    return kept;
  }
  std::string refusal(sys::UniqueFd descriptor, ErrorKind kind, std::uint64_t size = 10) {
    auto kept = keep_file(std::move(descriptor), size);
    if (kept) return "kept";
    EXPECT_EQ(kept.error().kind, kind) << kept.error().message;
    return kept.error().message;
  }
};

TEST_F(PassedUploadTest, keeps_a_file_from_its_beginning_and_leaves_its_place_alone) {
  auto descriptor = open(file);
  ASSERT_EQ(lseek(descriptor.get(), 4, SEEK_SET), 4);
  ASSERT_TRUE(keep_file(sys::UniqueFd(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3))));
  EXPECT_EQ(lseek(descriptor.get(), 0, SEEK_CUR), 4);
  EXPECT_EQ(test::slurp(blobs.path(digest)), "some bytes");
}

TEST_F(PassedUploadTest, a_blob_that_is_there_is_not_read_again) {
  ASSERT_TRUE(keep_file(open(file)));
  const auto before = blobs.ledger().totals().written_bytes;
  EXPECT_TRUE(keep_file(open(directory.path())));
  EXPECT_EQ(blobs.ledger().totals().written_bytes, before);
}

TEST_F(PassedUploadTest, only_what_is_a_file_and_can_be_read_is_taken) {
  const auto refused = ErrorKind::invalid;
  int ends[2] = {};
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const sys::UniqueFd written(ends[1]);
  EXPECT_EQ(refusal(sys::UniqueFd(ends[0]), refused), "the descriptor is not that of a regular file");
  EXPECT_EQ(refusal(open(directory.path()), refused), "the descriptor is not that of a regular file");
  EXPECT_EQ(refusal(open("/dev/zero"), refused), "the descriptor is not that of a regular file");
  EXPECT_EQ(refusal(open(file, O_PATH), refused), "the descriptor is not open for reading");
  EXPECT_EQ(refusal(open(file, O_WRONLY), refused), "the descriptor is not open for reading");
  const sys::UniqueFd memory(memfd_create("m", MFD_CLOEXEC));
  ASSERT_TRUE(sys::write_all(memory.get(), "some bytes"));
  EXPECT_TRUE(keep_file(sys::UniqueFd(fcntl(memory.get(), F_DUPFD_CLOEXEC, 3)))) << "a file without a name is one";
}

TEST_F(PassedUploadTest, a_file_that_is_another_by_now_is_refused_as_its_bytes_would_be) {
  EXPECT_EQ(refusal(open(file), ErrorKind::invalid, 9), "the file changed while it was sent");
  EXPECT_EQ(refusal(open(file), ErrorKind::invalid, 11), "the file changed while it was sent");
  directory.file("f", "same sizes");
  EXPECT_THAT(refusal(open(file), ErrorKind::invalid), HasSubstr("the bytes have digest sha256:"));
}

TEST_F(PassedUploadTest, a_file_that_shrinks_while_it_is_read_ends_the_upload) {
  constexpr std::uint64_t kSize = 64U << 20;
  const auto large = directory.file("large", "");
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) {
      (void)truncate(large.c_str(), 1000);
      (void)truncate(large.c_str(), kSize);
    }
  });
  for (int i = 0; i < 20; ++i) refusal(open(large), ErrorKind::invalid, kSize);
  done = true;
  writer.join();
}

TEST_F(PassedUploadTest, a_client_that_is_gone_ends_it) {
  PassedUpload upload;
  upload.digest = digest;
  upload.size = 10;
  upload.file = open(file);
  upload.gone = true;
  auto kept = keep(blobs, upload);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().kind, ErrorKind::canceled);
  EXPECT_TRUE(fs::is_empty(directory / "blobs/tmp"));
}

TEST_F(PassedUploadTest, a_request_has_one_descriptor_and_says_how_large_its_file_is) {
  const auto take = [&](const std::string& size, int descriptors) -> std::string {
    Request request;
    request.headers["ingot-descriptor"] = size;
    request.path_values["digest"] = digest.str();
    PassedIn passed;
    for (int i = 0; i < descriptors; ++i) passed.files.push_back(open(file));
    auto upload = passed_upload(request, passed, 100);
    if (upload) {
      EXPECT_TRUE(passed.files.empty());
      return "taken";
    }
    EXPECT_EQ(passed.files.size(), static_cast<std::size_t>(descriptors)) << "the caller closes it";
    return std::string(proto::info(upload.error().kind).name) + ": " + upload.error().message;
  };
  EXPECT_EQ(take("100", 1), "taken");
  EXPECT_EQ(take("101", 1), "too_large: a file of a context may have 100 B");
  EXPECT_EQ(take("100", 0), "unsupported: no descriptor came with the request");
  EXPECT_EQ(take("100", 2), "invalid: more than one descriptor came with the request");
  for (const std::string size : {"-1", "1x", "99999999999999999999", "yes"}) {
    EXPECT_EQ(take(size, 1), "invalid: the header Ingot-Descriptor says \"" + size + "\"");
  }
}

}  // namespace
}  // namespace ingot::api
