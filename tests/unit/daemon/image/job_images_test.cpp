#include "daemon/image/job_images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/image/built_image.h"
#include "daemon/image/layer_blobs.h"
#include "daemon/image/packed_image.h"
#include "tests/support/oci_layout.h"
#include "tests/support/temp.h"

// What a name means to a job, by each policy, and the blobs that a fetched image's layers stay.
namespace ingot::image {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using proto::PullPolicy;
using test::TarBytes;
using testing::HasSubstr;

class JobImagesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "unpacking an image with its owners needs root";
    database = *db::Database::open(directory / "x.db");
    snapshots.emplace(*store::SnapshotStore::open(directory / "s", *database));
    blobs.emplace(*store::BlobStore::open(directory / "b"));
    fs::create_directory(directory / "work");
    images.emplace(std::vector<SourceRule>{{"*", "oci-layout", {{"path", directory / "layout"}}}}, directory / "work",
                   *blobs, *snapshots, *database, sys::system_processes());
  }
  // The layout's image is this one from now on; returns its manifest's digest.
  std::string write(const std::string& version, std::vector<std::string> more_layers = {}) {
    test::OciLayout layout(directory / "layout");
    more_layers.insert(more_layers.begin(), TarBytes().file("version", version).bytes());
    const json image = layout.add_image(more_layers, {{"Env", {"VERSION=" + version}}});
    layout.write_index({image});
    return image["digest"];
  }
  Result<Image> ask(JobImages& job, const std::string& name = "base:1") {
    return job.resolve(name, [](const std::string&) {}, {});
  }
  Result<Image> ask(PullPolicy policy, const std::string& name = "base:1") {
    JobImages job(*images, policy);
    return ask(job, name);
  }
  std::string version_in(const Image& image) {
    return test::slurp(snapshots->layers(image.snapshot)->front() / "version");
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  std::optional<store::SnapshotStore> snapshots;
  std::optional<store::BlobStore> blobs;
  std::optional<Images> images;
};

TEST_F(JobImagesTest, missing_keeps_what_is_there_and_always_takes_what_is_new) {
  const std::string first = write("one");
  auto image = ask(PullPolicy::missing);
  ASSERT_TRUE(image) << proto::render(image.error());
  EXPECT_EQ(image->digest, first);
  const std::string second = write("two");
  EXPECT_EQ(ask(PullPolicy::missing)->digest, first);
  auto newer = ask(PullPolicy::always);
  ASSERT_TRUE(newer) << proto::render(newer.error());
  EXPECT_EQ(newer->digest, second);
  EXPECT_EQ(version_in(*newer), "two");
  EXPECT_EQ(newer->config.env.front().second, "two");
  EXPECT_EQ(ask(PullPolicy::missing)->snapshot, newer->snapshot) << "it is the kept one from then on";
  EXPECT_EQ(ask(PullPolicy::always)->snapshot, newer->snapshot) << "not unpacked again";
}

TEST_F(JobImagesTest, always_does_not_pass_off_a_kept_one_when_the_source_is_gone) {
  write("one");
  ASSERT_TRUE(ask(PullPolicy::missing));
  fs::remove_all(directory / "layout");
  EXPECT_TRUE(ask(PullPolicy::missing));
  auto gone = ask(PullPolicy::always);
  ASSERT_FALSE(gone);
  EXPECT_THAT(proto::render(gone.error()), HasSubstr("there is no OCI image layout in"));
}

TEST_F(JobImagesTest, never_finds_what_is_kept_and_else_says_what_to_do) {
  write("one");
  auto refused = ask(PullPolicy::never);
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      proto::render(refused.error()),
      "image \"base:1\" is not kept here, and this job may fetch none: --pull never\nhint: let it be fetched once "
      "by a build with --pull missing");
  ASSERT_TRUE(ask(PullPolicy::missing));
  fs::remove_all(directory / "layout");
  EXPECT_TRUE(ask(PullPolicy::never));
  EXPECT_TRUE(ask(PullPolicy::never, "scratch"));
}

TEST_F(JobImagesTest, a_name_means_one_image_to_a_job_whatever_happens_meanwhile) {
  const std::string first = write("one");
  JobImages job(*images, PullPolicy::always);
  EXPECT_EQ(ask(job)->digest, first);
  const std::string second = write("two");
  EXPECT_EQ(ask(PullPolicy::always)->digest, second) << "another job";
  EXPECT_EQ(ask(job, "docker.io/library/base:1")->digest, first) << "the same name, written in full";
  ASSERT_TRUE(ask(job, "scratch"));
  ASSERT_EQ(job.used().size(), 1U);
  EXPECT_EQ(job.used()[0].name, "base:1");
  EXPECT_EQ(job.used()[0].digest, first);
  EXPECT_EQ(job.used()[0].source, "oci-layout " + (directory / "layout").string());
}

TEST_F(JobImagesTest, an_image_by_its_digest_is_that_one_and_no_other) {
  const std::string first = write("one");
  auto image = ask(PullPolicy::always, "base@" + first);
  ASSERT_TRUE(image) << proto::render(image.error());
  EXPECT_EQ(version_in(*image), "one");
  EXPECT_EQ(image->digest, first);
  write("two");
  EXPECT_EQ(ask(PullPolicy::always, "base@" + first)->snapshot, image->snapshot) << "it is never something newer";
  EXPECT_FALSE(ask(PullPolicy::missing, "base@sha256:" + std::string(64, '0')));
}

TEST_F(JobImagesTest, an_index_is_known_by_its_own_digest) {
  test::OciLayout layout(directory / "layout");
  json image = layout.add_image({TarBytes().file("version", "one").bytes()}, json::object());
  image["platform"] = {{"os", "linux"}, {"architecture", test::this_architecture()}};
  const json index = layout.add_index({image});
  layout.write_index({index});
  EXPECT_EQ(ask(PullPolicy::missing)->digest, index["digest"]);
  EXPECT_EQ(ask(PullPolicy::missing, "base@" + image["digest"].get<std::string>())->digest, image["digest"]);
}

TEST_F(JobImagesTest, fetched_layers_stay_the_blobs_that_they_were) {
  write("one", {TarBytes().bytes(), TarBytes().directory("d").file("d/x", "x").bytes()});
  auto image = ask(PullPolicy::missing);
  ASSERT_TRUE(image) << proto::render(image.error());
  fs::remove_all(directory / "layout");
  LayerBlobs layers(*database, *blobs, *snapshots);
  for (const LayerForm& form : {LayerForm{}, LayerForm{proto::Compression::zstd, 1}}) {
    auto made = layers.of(image->snapshot, form, {});
    ASSERT_TRUE(made) << proto::render(made.error());
    ASSERT_EQ(made->size(), 3U) << "the empty one too";
    EXPECT_EQ(made->front().digest, base::Digest::of(TarBytes().file("version", "one").bytes()));
    EXPECT_EQ(made->front().diff_id, made->front().digest) << "it is no compressed one";
    for (const auto& blob : *made) {
      EXPECT_EQ(blob.media_type, "application/vnd.oci.image.layer.v1.tar");
      EXPECT_EQ(base::Digest::of(test::slurp(blobs->path(blob.digest))), blob.digest);
    }
  }
}

TEST_F(JobImagesTest, a_long_chain_on_a_fetched_image_keeps_the_layers_of_that_image_and_is_what_docker_takes) {
  write("one", {TarBytes().bytes(), TarBytes().directory("d").file("d/x", "x").bytes()});
  auto image = ask(PullPolicy::missing);
  ASSERT_TRUE(image) << proto::render(image.error());
  LayerBlobs layers(*database, *blobs, *snapshots);
  const auto base = layers.of(image->snapshot, {}, {});
  ASSERT_TRUE(base) << proto::render(base.error());
  store::Lease top = image->lease;
  std::vector<base::Digest> before;
  for (int i = 1; i <= 130; ++i) {
    auto pending = snapshots->begin(top.id());
    ASSERT_TRUE(pending);
    std::ofstream(pending->upper() / std::to_string(i)) << i;
    auto committed = snapshots->commit(std::move(*pending));
    ASSERT_TRUE(committed);
    top = *committed;
    if (i != 129) continue;
    auto shorter = layers.of(top.id(), {}, {});
    ASSERT_TRUE(shorter) << proto::render(shorter.error());
    for (const auto& blob : *shorter) before.push_back(blob.digest);
  }
  auto made = layers.of(top.id(), {}, {});
  ASSERT_TRUE(made) << proto::render(made.error());
  EXPECT_LE(made->size(), 125U);
  std::vector<base::Digest> now;
  for (const auto& blob : *made) now.push_back(blob.digest);
  ASSERT_GT(now.size(), base->size());
  for (std::size_t i = 0; i < base->size(); ++i) EXPECT_EQ(now[i].str(), base->at(i).digest.str()) << i;
  // A step more is a layer more: all others are in the registry already.
  ASSERT_EQ(now.size(), before.size() + 1);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), now.begin()));

  // As an image again it has all that the chain had.
  std::vector<std::string> tars;
  for (const auto& blob : *made) tars.push_back(test::slurp(blobs->path(blob.digest)));
  test::OciLayout again(directory / "layout");
  again.write_index({again.add_image(tars, json::object())});
  auto unpacked = ask(PullPolicy::always);
  ASSERT_TRUE(unpacked) << proto::render(unpacked.error());
  const auto stack = *snapshots->layers(unpacked->snapshot);
  for (int i = 1; i <= 130; ++i) {
    EXPECT_EQ(std::count_if(stack.begin(), stack.end(),
                            [&](const fs::path& layer) { return fs::exists(layer / std::to_string(i)); }),
              1)
        << i;
  }
}

TEST_F(JobImagesTest, what_is_kept_is_not_packed_before_it_travels) {
  write("one");
  auto image = ask(PullPolicy::missing);
  auto pending = snapshots->begin(image->snapshot);
  std::ofstream(pending->upper() / "large") << std::string(3U << 20, 'l');
  const auto top = *snapshots->commit(std::move(*pending));
  LayerBlobs layers(*database, *blobs, *snapshots);
  const LayerForm none{proto::Compression::none, {}};
  graph::SaveImage save;
  save.name = "kept:1";
  auto built = build_image({save, top.id(), 1, none, {}}, layers, *blobs, {});
  ASSERT_TRUE(built) << proto::render(built.error());
  const auto made = *layers.of(top.id(), none, {});
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made.back().media_type, kTarLayerType);
  EXPECT_FALSE(blobs->has(made.back().digest)) << "no byte of it was written";
  EXPECT_TRUE(blobs->has(base::Digest::of(std::string(3U << 20, 'l')))) << "but this file is a blob now";

  const auto gzip = layers.of(top.id(), {}, {})->back();
  EXPECT_EQ(gzip.diff_id, made.back().digest) << "the same tar";
  auto packed = packed_image(built->digest, proto::Compression::gzip, layers, *blobs, {});
  ASSERT_TRUE(packed) << proto::render(packed.error());
  const auto manifest = json::parse(test::slurp(blobs->path(*packed)));
  EXPECT_EQ(manifest["layers"][0]["digest"], made.front().digest.str()) << "as it came with its image";
  EXPECT_EQ(manifest["layers"][1]["digest"], gzip.digest.str());
  EXPECT_EQ(manifest["layers"][1]["size"], gzip.size);
  EXPECT_EQ(manifest["layers"][1]["mediaType"], kGzipLayerType);
  EXPECT_EQ(*packed_image(built->digest, proto::Compression::none, layers, *blobs, {}), built->digest);

  // Neither needs the snapshot any more, nor is it packed twice.
  const auto before = blobs->ledger().totals().written_bytes;
  EXPECT_EQ(*packed_image(built->digest, proto::Compression::gzip, layers, *blobs, {}), *packed);
  EXPECT_EQ(blobs->ledger().totals().written_bytes, before);
}

TEST_F(JobImagesTest, a_layer_whose_blob_somebody_removed_is_packed_anew) {
  write("one");
  auto image = ask(PullPolicy::missing);
  LayerBlobs layers(*database, *blobs, *snapshots);
  auto before = layers.of(image->snapshot, {}, {});
  fs::remove(blobs->path(before->front().digest));
  auto made = layers.of(image->snapshot, {}, {});
  ASSERT_TRUE(made) << proto::render(made.error());
  EXPECT_EQ(made->front().media_type, kGzipLayerType);
  EXPECT_TRUE(blobs->has(made->front().digest));
}

}  // namespace
}  // namespace ingot::image
