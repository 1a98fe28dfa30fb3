#include "daemon/image/layout.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/image/built_image.h"
#include "proto/codec.h"

namespace ingot::image {

namespace {

Result<std::vector<base::Digest>> blobs_of_manifest(const base::Digest& manifest, const store::BlobStore& blobs) {
  INGOT_TRY(auto document, read_document(manifest, blobs));
  const auto config = document.find("config");
  const auto layers = document.find("layers");
  if (config == document.end() || layers == document.end() || !config->is_object() || !layers->is_array()) {
    return base::fail(ErrorKind::invalid, manifest.str() + " is no image manifest");
  }
  std::vector<base::Digest> found{manifest};
  std::vector<nlohmann::json> named{*config};
  named.insert(named.end(), layers->begin(), layers->end());
  for (const auto& one : named) {
    INGOT_TRY(auto digest, base::Digest::parse(one.value("digest", "")));
    found.push_back(std::move(digest));
  }
  return found;
}

Status write(const sys::fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return base::fail_errno(EIO, "cannot write " + path.string());
  return {};
}

Status write_composed(const store::ComposedBlobs& composed, const base::Digest& digest, const sys::fs::path& path) {
  INGOT_TRY(auto file, sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return composed.read(digest, [&](std::string_view bytes) { return sys::write_all(file.get(), bytes); });
}

}  // namespace

Result<nlohmann::json> read_document(const base::Digest& digest, const store::BlobStore& blobs) {
  INGOT_TRY(const auto text, sys::read_file(blobs.path(digest)));
  return proto::parse_json(text);
}

Result<std::vector<base::Digest>> blobs_of(const base::Digest& manifest, const store::BlobStore& blobs) {
  INGOT_TRY(auto document, read_document(manifest, blobs));
  std::vector<base::Digest> found{manifest};
  if (const auto manifests = document.find("manifests"); manifests != document.end() && manifests->is_array()) {
    for (const auto& one : *manifests) {
      INGOT_TRY(auto digest, base::Digest::parse(one.value("digest", "")));
      INGOT_TRY(const auto parts, blobs_of_manifest(digest, blobs));
      found.insert(found.end(), parts.begin(), parts.end());
    }
    return found;
  }
  return blobs_of_manifest(manifest, blobs);
}

Result<sys::TempDir> lay_out(const base::Digest& manifest, const std::string& name, const store::BlobStore& blobs,
                             const store::ComposedBlobs& composed, const sys::fs::path& work_directory) {
  INGOT_TRY(auto layout, sys::TempDir::create(work_directory, "layout-"));
  const auto place = layout.path() / "blobs/sha256";
  INGOT_CHECK(sys::make_directories(place));
  INGOT_TRY(auto list, blobs_of(manifest, blobs));
  for (const auto& digest : list) {
    const auto link = place / digest.hex();
    if (!blobs.has(digest)) {
      INGOT_CHECK(write_composed(composed, digest, link));
    } else if (::link(blobs.path(digest).c_str(), link.c_str()) != 0 && errno != EEXIST) {
      return base::fail_errno(errno, "cannot lay out " + digest.str());
    }
  }
  INGOT_TRY(auto text, sys::read_file(blobs.path(manifest)));
  INGOT_TRY(const auto document, read_document(manifest, blobs));
  const nlohmann::json index = {{"schemaVersion", 2},
                                {"manifests",
                                 {{{"mediaType", document.contains("manifests") ? kIndexType : kManifestType},
                                   {"digest", manifest.str()},
                                   {"size", text.size()},
                                   {"annotations", {{"org.opencontainers.image.ref.name", name}}}}}}};
  INGOT_CHECK(write(layout.path() / "index.json", proto::dump(index)));
  INGOT_CHECK(write(layout.path() / "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"));
  return layout;
}

}  // namespace ingot::image
