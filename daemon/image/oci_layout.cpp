#include <fcntl.h>
#include <sys/stat.h>

#include <optional>
#include <vector>

#include "daemon/image/layer_blobs.h"
#include "daemon/image/layer_unpack.h"
#include "daemon/image/oci_index.h"
#include "daemon/image/source.h"

// An image in an OCI layout becomes a snapshot a layer.
namespace ingot::image {

namespace {

using base::fail;
using store::fs::path;

// The layers' snapshots; removed again unless all could be made.
class LayerChain {
 public:
  explicit LayerChain(store::SnapshotStore& snapshots) : snapshots_(snapshots) {}
  LayerChain(const LayerChain&) = delete;
  LayerChain& operator=(const LayerChain&) = delete;
  ~LayerChain() {
    top_ = {};
    for (auto id = made_.rbegin(); id != made_.rend(); ++id) (void)snapshots_.remove(*id);
  }

  Status add(const std::function<Status(const path& directory)>& fill,
             const std::function<Status(store::SnapshotId)>& also = {}) {
    INGOT_TRY(auto pending, snapshots_.begin(made_.empty() ? std::nullopt : std::optional(made_.back())));
    INGOT_CHECK(fill(pending.upper()));
    INGOT_TRY(top_, snapshots_.commit(std::move(pending), also));
    made_.push_back(top_.id());
    return {};
  }

  store::Lease keep() {
    made_.clear();
    return std::move(top_);
  }

 private:
  store::SnapshotStore& snapshots_;
  std::vector<store::SnapshotId> made_;
  store::Lease top_;
};

// The type by which an image of ours may name the blob; nothing for one that it had better pack anew.
std::optional<std::string> layer_type(const std::string& media_type) {
  if (media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip") return kGzipLayerType;
  for (const char* known : {"", "+gzip", "+zstd"}) {
    if (media_type == std::string("application/vnd.oci.image.layer.v1.tar") + known) return media_type;
  }
  return std::nullopt;
}

// One layer's blob as it will be kept; nothing when it will not.
Result<std::optional<LayerBlob>> blob_to_keep(const OciImage& image, std::size_t layer) {
  const auto type = layer_type(image.layers[layer].media_type);
  if (!type || image.diff_ids.size() != image.layers.size()) return std::optional<LayerBlob>();
  LayerBlob blob;
  blob.media_type = *type;
  blob.size = image.layers[layer].size;
  INGOT_TRY(blob.digest, base::Digest::parse(image.layers[layer].digest));
  INGOT_TRY(blob.diff_id, base::Digest::parse(image.diff_ids[layer]));
  return std::optional(std::move(blob));
}

// A file of our own layout becomes a blob as it is.
Status keep_as_blob(const Fetch& fetch, const path& file, const base::Digest& digest) {
  if (chmod(file.c_str(), 0640) != 0) return base::fail_errno(errno, "cannot keep " + file.string() + " as a blob");
  INGOT_TRY(auto fd, sys::open_file(file, O_RDONLY));
  return fetch.blobs.adopt(fd.get(), digest, store::Durability::later);
}

// Both forms of a layer are kept, since neither can be made from the other: the files are what steps stand on, and no
// other compressor would give these bytes again, by which every registry knows the layer.
class LayerSource {
 public:
  LayerSource(const Fetch& fetch, const Layout& layout) : fetch_(fetch), layout_(layout) {}

  Status unpack(const Descriptor& layer, const std::optional<LayerBlob>& blob, const path& directory) const {
    if (!blob || layout_.ours) {
      INGOT_TRY(auto file, checked_blob(layout_.directory, layer));
      INGOT_CHECK(unpack_layer(file, directory, fetch_.cancel));
      return blob ? keep_as_blob(fetch_, file, blob->digest) : Status{};
    }
    // Somebody else's layout: a link would let them change what we keep. Copied also when there is such a blob already,
    // which may be on its way out; the writer's end decides.
    INGOT_TRY(auto writer, fetch_.blobs.begin());
    INGOT_TRY(auto file, checked_blob(layout_.directory, layer, [&](std::string_view bytes) -> Status {
                if (fetch_.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
                return writer.write(bytes);
              }));
    INGOT_CHECK(unpack_layer(file, directory, fetch_.cancel));
    INGOT_CHECK(writer.commit(store::Durability::later, blob->digest));
    return {};
  }

 private:
  const Fetch& fetch_;
  const Layout& layout_;
};

}  // namespace

Result<Fetched> unpack_oci_layout(const Fetch& fetch, const Layout& layout) {
  INGOT_TRY(auto image, read_oci_image(layout.directory, layout.choice));
  Fetched fetched;
  fetched.digest = image.digest;
  fetched.unchanged = image.digest == fetch.known;
  if (fetched.unchanged) return fetched;
  if (!image.names_platform) {
    fetch.progress("warning: the image does not say what it is for; taken for " + fetch.platform.text());
  }
  fetched.config = std::move(image.config);
  fetched.source = "oci-layout " + layout.directory.string();
  const LayerSource source(fetch, layout);
  LayerChain chain(fetch.snapshots);
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    if (fetch.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
    fetch.progress("unpacking layer " + std::to_string(i + 1) + " of " + std::to_string(image.layers.size()));
    INGOT_TRY(auto blob, blob_to_keep(image, i));
    INGOT_CHECK(chain.add(
        [&](const path& directory) { return source.unpack(image.layers[i], blob, directory); },
        [&](store::SnapshotId id) { return blob ? record_fetched_layer(fetch.database, id, *blob) : Status{}; }));
  }
  if (image.layers.empty()) INGOT_CHECK(chain.add([](const path&) { return Status{}; }));
  fetched.snapshot = chain.keep();
  return fetched;
}

Result<Fetched> fetch_from_oci_layout(const Fetch& fetch) {
  const path directory = fetch.option("path");
  if (directory.empty()) {
    return fail(ErrorKind::invalid, "the rule has no option path", "name the directory of the OCI layout");
  }
  const Reference& reference = fetch.reference;
  if (!reference.digest.empty()) return unpack_oci_layout(fetch, {directory, {{}, reference.digest, fetch.platform}});
  return unpack_oci_layout(fetch,
                           {directory, {{reference.tag, reference.familiar(), reference.full()}, "", fetch.platform}});
}

}  // namespace ingot::image
