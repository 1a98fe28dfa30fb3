#include "daemon/image/layer_blobs.h"

#include "daemon/image/parallel_compressor.h"
#include "daemon/store/tar_writer.h"
#include "daemon/sys/rooted.h"

namespace ingot::image {

namespace {

// What docker takes: a container of the image needs two more, and its storage drivers know 127 at most.
constexpr std::size_t kMostLayers = 125;
constexpr const char* kFetched = "fetched";  // instead of a form of ours

std::string name_of(const LayerForm& form) {
  return proto::name_of(form.compression) + (form.latest ? " " + std::to_string(*form.latest) : "");
}

Status keep(db::Database& database, const std::string& snapshot, const std::string& form, const LayerBlob& blob) {
  INGOT_TRY(auto insertion,
            database.prepare("INSERT OR REPLACE INTO layer_blobs (snapshot, form, digest, diff_id, size, media_type) "
                             "VALUES (?, ?, ?, ?, ?, ?)"));
  insertion.bind(1, snapshot).bind(2, form).bind(3, blob.digest.str()).bind(4, blob.diff_id.str());
  return insertion.bind(5, static_cast<std::int64_t>(blob.size)).bind(6, blob.media_type).run();
}

}  // namespace

Status record_fetched_layer(db::Database& database, store::SnapshotId snapshot, const LayerBlob& blob) {
  return keep(database, std::to_string(snapshot), kFetched, blob);
}

Result<std::vector<LayerBlob>> LayerBlobs::of(store::SnapshotId snapshot, const LayerForm& form,
                                              const sys::CancelToken& cancel) {
  INGOT_TRY(auto base, base_of(snapshot));
  INGOT_TRY(auto layers, snapshots_.image_layers(snapshot, base, kMostLayers));
  std::vector<LayerBlob> made;
  for (const auto& layer : layers) {
    const std::string id = std::to_string(layer.last);
    // Several layers joined into one are kept under the topmost one's number.
    const bool joined = layer.first != layer.last;
    const std::string form_name = name_of(form) + (joined ? " joined from " + std::to_string(layer.first) : "");
    const base::KeyedMutex::Hold hold(being_made_, id);
    // As it came, whatever the form: a registry that has the base has this one.
    std::optional<LayerBlob> known;
    if (!joined) {
      INGOT_TRY(known, find(id, kFetched));
    }
    // A step that changed nothing gives an image nothing; but one layer it must have.
    if (!known && sys::fs::is_empty(layer.path) && (&layer != &layers.back() || !made.empty())) continue;
    if (!known) {
      INGOT_TRY(known, find(id, form_name));
    }
    if (!known) {
      INGOT_TRY(known, make(layer.path, form, cancel));
      INGOT_CHECK(database_.transaction([&] { return keep(database_, id, form_name, *known); }));
    }
    made.push_back(std::move(*known));
  }
  return made;
}

// The topmost layer that came with an image: a registry that has the image has those below it too, as they are. 0:
// none.
Result<store::SnapshotId> LayerBlobs::base_of(store::SnapshotId snapshot) const {
  store::SnapshotId base = 0;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare("WITH RECURSIVE chain (id, parent) AS (SELECT id, parent FROM snapshots WHERE id = ?1 "
                                "UNION ALL SELECT s.id, s.parent FROM snapshots s JOIN chain c ON s.id = c.parent) "
                                "SELECT coalesce(max(id), 0) FROM chain WHERE id IN (SELECT snapshot FROM images) OR "
                                "EXISTS (SELECT 1 FROM layer_blobs WHERE snapshot = id AND form = ?2)"));
    INGOT_CHECK(query.bind(1, snapshot).bind(2, kFetched).step());
    base = query.number(0);
    return {};
  }));
  return base;
}

Result<LayerBlob> LayerBlobs::make(const sys::fs::path& layer, const LayerForm& form,
                                   const sys::CancelToken& cancel) const {
  INGOT_TRY(auto root, sys::RootedDir::open(layer));
  INGOT_TRY(auto writer, blobs_.begin());
  base::Hasher tar;
  ParallelCompressor compressor(form.compression, [&](std::string_view bytes) { return writer.write(bytes); });
  store::TarOptions options;
  options.keep_times = true;
  options.keep_owners = true;
  options.is_layer = true;
  options.latest_time = form.latest;
  INGOT_CHECK(store::write_tar(root, "/", options, [&](std::string_view bytes) -> Status {
    if (cancel.canceled()) return base::fail(ErrorKind::canceled, "canceled");
    tar.update(bytes);
    return compressor.write(bytes);
  }));
  INGOT_CHECK(compressor.finish());
  LayerBlob blob;
  if (form.compression == proto::Compression::zstd) blob.media_type = kZstdLayerType;
  blob.size = writer.size();
  blob.diff_id = tar.finish();
  INGOT_TRY(blob.digest, writer.commit(store::Durability::now));
  return blob;
}

Result<std::optional<LayerBlob>> LayerBlobs::find(const std::string& snapshot, const std::string& form) const {
  std::optional<LayerBlob> found;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT digest, diff_id, size, media_type FROM layer_blobs "
                                            "WHERE snapshot = ? AND form = ?"));
    INGOT_TRY(bool known, query.bind(1, snapshot).bind(2, form).step());
    if (!known) return {};
    LayerBlob blob;
    INGOT_TRY(blob.digest, base::Digest::parse(query.text(0)));
    INGOT_TRY(blob.diff_id, base::Digest::parse(query.text(1)));
    blob.size = static_cast<std::uint64_t>(query.number(2));
    blob.media_type = query.text(3);
    found = std::move(blob);
    return {};
  }));
  if (found && !blobs_.has(found->digest)) found.reset();
  return found;
}

}  // namespace ingot::image
