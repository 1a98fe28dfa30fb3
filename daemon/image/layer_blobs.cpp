#include "daemon/image/layer_blobs.h"

#include <sys/stat.h>

#include "daemon/image/packer.h"
#include "daemon/store/tar_writer.h"
#include "daemon/sys/rooted.h"

namespace ingot::image {

namespace {

// What docker takes: a container of the image needs two more, and its storage drivers know 127 at most.
constexpr std::size_t kMostLayers = 125;
constexpr const char* kFetched = "fetched";  // instead of a form of ours
constexpr const char* kOfSnapshot =
    "SELECT digest, diff_id, size, media_type FROM layer_blobs WHERE snapshot = ? AND form = ?";

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
      INGOT_TRY(known, find(kOfSnapshot, id, kFetched));
    }
    // A step that changed nothing gives an image nothing; but one layer it must have.
    if (!known && sys::fs::is_empty(layer.path) && (&layer != &layers.back() || !made.empty())) continue;
    if (!known) {
      INGOT_TRY(known, find(kOfSnapshot, id, form_name));
    }
    if (!known) {
      INGOT_TRY(known, make(layer, form, form_name, cancel));
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

Result<LayerBlob> LayerBlobs::make(const Layer& layer, const LayerForm& form, const std::string& name,
                                   const sys::CancelToken& cancel) {
  store::TarOptions options;
  options.keep_times = true;
  options.keep_owners = true;
  options.is_layer = true;
  options.latest_time = form.latest;
  if (form.compression == proto::Compression::none) return compose(layer, options, name, cancel);
  INGOT_TRY(auto root, sys::RootedDir::open(layer.path));
  INGOT_TRY(auto blob, pack(blobs_, form.compression, cancel,
                            [&](const TarSink& sink) { return store::write_tar(root, "/", options, sink); }));
  INGOT_CHECK(database_.transaction([&] { return keep(database_, std::to_string(layer.last), name, blob); }));
  return blob;
}

Result<LayerBlob> LayerBlobs::compose(const Layer& layer, const store::TarOptions& options, const std::string& name,
                                      const sys::CancelToken& cancel) {
  INGOT_TRY(auto root, sys::RootedDir::open(layer.path));
  INGOT_TRY(auto files, files_of(layer));
  INGOT_TRY(auto composer, store::BlobComposer::begin(blobs_, std::move(files), cancel));
  INGOT_CHECK(store::write_tar(root, "/", options, *composer));
  INGOT_TRY(const auto composed, composer->finish());
  LayerBlob blob{composed.digest, composed.digest, composed.size, kTarLayerType};
  INGOT_CHECK(database_.transaction([&]() -> Status {
    INGOT_CHECK(store::ComposedBlobs::record(database_, composed.digest, composed.parts));
    return keep(database_, std::to_string(layer.last), name, blob);
  }));
  return blob;
}

// A run of layers that was joined can be made again at any time, and nobody counts what its files have on the disk:
// they become no blobs.
Result<store::BlobComposer::Files> LayerBlobs::files_of(const Layer& layer) {
  store::BlobComposer::Files files;
  if (layer.first != layer.last) return files;
  files.counts = [this, id = std::to_string(layer.last)](const base::Digest& digest, const store::SharedFile& file) {
    return snapshots_.counts_as_blob(id, digest, file);
  };
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare("SELECT digest FROM blob_shares WHERE layer = ?"));
    query.bind(1, layer.last);
    while (true) {
      INGOT_TRY(bool more, query.step());
      if (!more) return {};
      INGOT_TRY(auto digest, base::Digest::parse(query.text(0)));
      struct stat status {};
      if (stat(blobs_.path(digest).c_str(), &status) == 0) files.known[{status.st_dev, status.st_ino}] = digest;
    }
  }));
  return files;
}

Result<LayerBlob> LayerBlobs::packed(const base::Digest& diff_id, proto::Compression compression,
                                     const sys::CancelToken& cancel) {
  const std::string form = proto::name_of(compression);
  const base::KeyedMutex::Hold hold(being_made_, diff_id.str());
  INGOT_TRY(auto known,
            find("SELECT digest, diff_id, size, media_type FROM packed_layers WHERE diff_id = ? AND form = ?",
                 diff_id.str(), form));
  if (known && blobs_.find_for_job(known->digest)) return *known;
  INGOT_TRY(auto blob,
            pack(blobs_, compression, cancel, [&](const TarSink& sink) { return composed_.read(diff_id, sink); }));
  INGOT_CHECK(database_.transaction([&]() -> Status {
    INGOT_TRY(auto insertion, database_.prepare("INSERT OR REPLACE INTO packed_layers (diff_id, form, digest, size, "
                                                "media_type) VALUES (?, ?, ?, ?, ?)"));
    insertion.bind(1, diff_id.str()).bind(2, form).bind(3, blob.digest.str());
    return insertion.bind(4, static_cast<std::int64_t>(blob.size)).bind(5, blob.media_type).run();
  }));
  return blob;
}

Result<std::optional<LayerBlob>> LayerBlobs::find(const std::string& query_text, const std::string& key,
                                                  const std::string& form) const {
  std::optional<LayerBlob> found;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query, database_.prepare(query_text));
    INGOT_TRY(bool known, query.bind(1, key).bind(2, form).step());
    if (!known) return {};
    LayerBlob blob;
    INGOT_TRY(blob.digest, base::Digest::parse(query.text(0)));
    INGOT_TRY(blob.diff_id, base::Digest::parse(query.text(1)));
    blob.size = static_cast<std::uint64_t>(query.number(2));
    blob.media_type = query.text(3);
    found = std::move(blob);
    return {};
  }));
  if (!found) return found;
  INGOT_TRY(const auto size, composed_.size_of_any(found->digest));
  if (!size) found.reset();
  return found;
}

}  // namespace ingot::image
