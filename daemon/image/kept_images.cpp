#include "daemon/image/kept_images.h"

#include <nlohmann/json.hpp>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/image/oci_config.h"
#include "proto/codec.h"

namespace ingot::image {

namespace {

Result<graph::ImageConfig> decode_config(const std::string& text) {
  INGOT_TRY(auto document, proto::parse_json(text));
  return read_image_config(document);
}

}  // namespace

Result<std::optional<Image>> KeptImages::look_up(const std::string& key) const {
  Image image;
  INGOT_TRY(auto lease, snapshots_.lease([&]() -> Result<std::optional<store::SnapshotId>> {
    bool found = false;
    INGOT_CHECK(database_.read([&]() -> Status {
      INGOT_TRY(auto query, database_.prepare("SELECT reference, source, snapshot, config, digest FROM images "
                                              "WHERE key = ?"));
      INGOT_TRY(found, query.bind(1, key).step());
      if (!found) return {};
      image.reference = query.text(0);
      image.source = query.text(1);
      image.snapshot = query.number(2);
      INGOT_TRY(image.config, decode_config(query.text(3)));
      image.digest = query.text(4);
      return {};
    }));
    return found ? std::optional(image.snapshot) : std::nullopt;
  }));
  if (!lease) return std::optional<Image>();
  image.lease = std::move(*lease);
  return std::optional(std::move(image));
}

Result<std::optional<Image>> KeptImages::find(const std::string& key) const {
  INGOT_TRY(auto image, look_up(key));
  if (!image) return image;
  auto layers = snapshots_.layers(image->snapshot);
  if (layers) return image;
  if (layers.error().kind != ErrorKind::not_found) return base::fail(layers.error());
  base::log::warning("image {} is fetched anew: {}", image->reference, layers.error().message);
  INGOT_CHECK(database_.transaction([&]() -> Status {
    INGOT_TRY(auto deletion, database_.prepare("DELETE FROM images WHERE key = ? AND snapshot = ?"));
    return deletion.bind(1, key).bind(2, image->snapshot).run();
  }));
  return std::optional<Image>();
}

Result<Image> KeptImages::keep(const std::string& key, const Image& image, Conflict conflict) const {
  const char* statement = conflict == Conflict::last_wins ? "INSERT OR REPLACE" : "INSERT OR IGNORE";
  INGOT_CHECK(database_.transaction([&]() -> Status {
    INGOT_TRY(auto insertion,
              database_.prepare(std::string(statement) + " INTO images (key, reference, source, snapshot, config, "
                                                         "created_ms, digest) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    insertion.bind(1, key).bind(2, image.reference).bind(3, image.source).bind(4, image.snapshot);
    insertion.bind(5, proto::dump(write_image_config(image.config)));
    return insertion.bind(6, base::system_clock().unix_ms()).bind(7, image.digest).run();
  }));
  INGOT_TRY(auto kept, look_up(key));
  return kept.value_or(image);
}

}  // namespace ingot::image
