#include "daemon/pipeline/early_layers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "tests/support/temp.h"

namespace ingot::pipeline {
namespace {

class EarlyLayersTest : public testing::Test {
 protected:
  EarlyLayersTest()
      : database(*db::Database::open(directory / "x.db")),
        snapshots(*store::SnapshotStore::open(directory / "s", *database)),
        blobs(*store::BlobStore::open(directory / "b")),
        layers(*database, blobs, snapshots) {
    graph.steps.resize(2);
    graph.images.push_back({});
    graph.images.front().from = 1;
  }
  store::Lease snapshot(const std::string& text) {
    auto pending = *snapshots.begin(std::nullopt);
    std::ofstream(pending.upper() / "file") << text;
    return *snapshots.commit(std::move(pending));
  }
  std::int64_t packed() {
    std::int64_t rows = -1;
    EXPECT_TRUE(database->read([&]() -> Status {
      INGOT_TRY(auto query, database->prepare("SELECT count(*) FROM layer_blobs"));
      INGOT_CHECK(query.step());
      rows = query.number(0);
      return {};
    }));
    return rows;
  }
  void wait_for_packed(std::int64_t rows) {
    for (int i = 0; i < 5000 && packed() < rows; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_EQ(packed(), rows);
  }

  test::TempDirectory directory;
  std::unique_ptr<db::Database> database;
  store::SnapshotStore snapshots;
  store::BlobStore blobs;
  image::LayerBlobs layers;
  graph::Graph graph;
};

TEST_F(EarlyLayersTest, what_an_image_stands_on_is_packed_as_soon_as_it_is_made) {
  const auto lease = snapshot("of the image");
  EarlyLayers early(graph, layers, {});
  early.made(1, lease);
  wait_for_packed(1);
}

TEST_F(EarlyLayersTest, what_no_image_stands_on_is_left_alone) {
  const auto other = snapshot("of nobody");
  const auto lease = snapshot("of the image");
  EarlyLayers early(graph, layers, {});
  early.made(0, other);
  early.made(1, lease);
  wait_for_packed(1);
}

TEST_F(EarlyLayersTest, what_cannot_be_packed_ends_nothing) {
  const auto broken = snapshot("broken");
  const auto lease = snapshot("of the image");
  std::filesystem::remove_all(snapshots.layers(broken.id())->front());
  EarlyLayers early(graph, layers, {});
  early.made(1, broken);
  early.made(1, lease);
  wait_for_packed(1);
}

TEST_F(EarlyLayersTest, the_end_of_the_job_does_not_wait_for_what_is_left) {
  const auto lease = snapshot(std::string(1000, 'x'));
  for (int i = 0; i < 20; ++i) {
    EarlyLayers early(graph, layers, {});
    for (int j = 0; j < 5; ++j) early.made(1, lease);
  }
  EXPECT_LE(packed(), 1);
}

}  // namespace
}  // namespace ingot::pipeline
