#include <optional>
#include <vector>

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

  Status add(const std::function<Status(const path& directory)>& fill) {
    INGOT_TRY(auto pending, snapshots_.begin(made_.empty() ? std::nullopt : std::optional(made_.back())));
    INGOT_CHECK(fill(pending.upper()));
    INGOT_TRY(top_, snapshots_.commit(std::move(pending)));
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

}  // namespace

Result<Fetched> unpack_oci_layout(const Fetch& fetch, const path& layout, const Choice& choice) {
  INGOT_TRY(auto image, read_oci_image(layout, choice));
  Fetched fetched;
  fetched.config = std::move(image.config);
  fetched.source = "oci-layout " + layout.string();
  LayerChain chain(fetch.snapshots);
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    if (fetch.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
    fetch.progress("unpacking layer " + std::to_string(i + 1) + " of " + std::to_string(image.layers.size()));
    INGOT_TRY(auto file, checked_blob(layout, image.layers[i]));
    INGOT_CHECK(chain.add([&](const path& directory) { return unpack_layer(file, directory, fetch.cancel); }));
  }
  if (image.layers.empty()) INGOT_CHECK(chain.add([](const path&) { return Status{}; }));
  fetched.snapshot = chain.keep();
  return fetched;
}

Result<Fetched> fetch_from_oci_layout(const Fetch& fetch) {
  const std::string directory = fetch.option("path");
  if (directory.empty()) {
    return fail(ErrorKind::invalid, "the rule has no option path", "name the directory of the OCI layout");
  }
  const Reference& reference = fetch.reference;
  if (!reference.digest.empty()) return unpack_oci_layout(fetch, directory, {{}, reference.digest});
  return unpack_oci_layout(fetch, directory, {{reference.tag, reference.familiar(), reference.full()}, ""});
}

}  // namespace ingot::image
