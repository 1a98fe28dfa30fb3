#include "client/fetch/image_archive.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/base/image_name.h"
#include "daemon/base/platform.h"
#include "daemon/base/strings.h"
#include "daemon/sys/file_bytes.h"

namespace ingot::client {

namespace {

using base::fail;
using nlohmann::json;

constexpr std::size_t kBlock = 512;

// A ustar header for a file that anybody may read. All times are zero: an image is the same archive whenever it is
// made.
std::string tar_header(const std::string& name, std::uint64_t size) {
  std::string header(kBlock, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { text.copy(&header[at], text.size()); };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  constexpr std::uint64_t kLargestOctal = (1ULL << 33) - 1;
  if (size <= kLargestOctal) {
    put(124, fmt::format("{:011o}", size));
  } else {
    // GNU's way for what eleven octal digits cannot say.
    header[124] = static_cast<char>(0x80);
    for (std::size_t i = 0; i < 8; ++i) header[135 - i] = static_cast<char>(size >> (8 * i));
  }
  put(136, "00000000000");
  put(148, "        ");
  header[156] = '0';
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  return header;
}

class ArchiveWriter {
 public:
  ArchiveWriter(Daemon& daemon, int fd) : daemon_(daemon), fd_(fd) {}

  Status add_text(const std::string& name, const std::string& text) {
    return sys::write_all(fd_, tar_header(name, text.size()) + text + padding(text.size()));
  }
  Status add_blob(const std::string& digest, std::uint64_t size) {
    if (!names_.insert(digest).second) return {};  // two equal layers are one file
    INGOT_TRY(auto download, daemon_.blob(digest));
    INGOT_CHECK(sys::write_all(fd_, tar_header("blobs/sha256/" + digest.substr(digest.find(':') + 1), size)));
    std::uint64_t copied = 0;
    if (download.file) {
      INGOT_CHECK(sys::copy_bytes(download.file.get(), fd_, "cannot write the archive",
                                  [&](std::uint64_t bytes) { copied += bytes; }));
    } else {
      Status written;
      INGOT_CHECK(download.connection.read_body([&](std::string_view bytes) {
        written = sys::write_all(fd_, bytes);
        copied += bytes.size();
        return written.has_value();
      }));
      INGOT_CHECK(written);
    }
    if (copied != size) {
      return fail(ErrorKind::internal, fmt::format("blob {} has {} bytes, and its image says {}", digest, copied, size),
                  "the daemon's disk is damaged; build the image again");
    }
    return sys::write_all(fd_, padding(size));
  }
  Status finish() { return sys::write_all(fd_, std::string(2 * kBlock, '\0')); }

 private:
  static std::string padding(std::uint64_t size) { return std::string((kBlock - size % kBlock) % kBlock, '\0'); }

  Daemon& daemon_;
  int fd_;
  std::set<std::string> names_;
};

Result<std::string> read_blob(Daemon& daemon, const std::string& digest) {
  INGOT_TRY(auto download, daemon.blob(digest));
  std::string text;
  if (download.file) {
    INGOT_CHECK(
        sys::read_bytes(download.file.get(), "cannot read blob " + digest, [&](std::string_view bytes) -> Status {
          text += bytes;
          return {};
        }));
    return text;
  }
  INGOT_CHECK(download.connection.read_body([&](std::string_view bytes) {
    text += bytes;
    return true;
  }));
  return text;
}

std::string path_of(const json& descriptor) {
  const std::string digest = descriptor.value("digest", "");
  return "blobs/sha256/" + digest.substr(digest.find(':') + 1);
}

// A manifest's text, or an index's, held against its digest.
Result<json> read_document(Daemon& daemon, const std::string& digest, const std::string& name, std::uint64_t& size) {
  INGOT_TRY(auto text, read_blob(daemon, digest));
  if (base::Digest::of(text).str() != digest) {
    return fail(ErrorKind::internal, "the manifest of " + name + " has other bytes than its digest says",
                "the daemon's disk is damaged; build the image again");
  }
  size = text.size();
  return proto::parse_json(text);
}

base::Platform platform_of(const json& entry) {
  const json platform = entry.value("platform", json::object());
  return base::normalized(
      {platform.value("os", "linux"), platform.value("architecture", ""), platform.value("variant", "")});
}

// Of an index: the entry that serves this host best; of several as good the first.
std::optional<json> entry_for_this_host(const json& index) {
  std::optional<json> best;
  int nearest = -1;
  for (const auto& entry : index.value("manifests", json::array())) {
    const int distance = base::distance(platform_of(entry), base::native_platform());
    if (distance < 0 || (best && distance >= nearest)) continue;
    best = entry;
    nearest = distance;
  }
  return best;
}

struct Manifest {
  std::string digest;
  std::uint64_t size = 0;
  json document;
};

Result<std::vector<Manifest>> manifests_of(Daemon& daemon, const Manifest& top, const std::string& name) {
  if (!top.document.contains("manifests")) return std::vector{top};
  std::vector<Manifest> all;
  for (const auto& entry : top.document["manifests"]) {
    Manifest manifest;
    manifest.digest = entry.value("digest", "");
    INGOT_TRY(manifest.document, read_document(daemon, manifest.digest, name, manifest.size));
    all.push_back(std::move(manifest));
  }
  return all;
}

// What `docker load` looks for beside OCI's own index knows one platform.
json docker_manifest(const Manifest& top, const std::vector<Manifest>& manifests, const std::string& name) {
  const auto own = entry_for_this_host(top.document);
  const Manifest* shown = &manifests.front();
  for (const auto& manifest : manifests) {
    if (own && manifest.digest == own->value("digest", "")) shown = &manifest;
  }
  json files = json::array();
  for (const auto& layer : shown->document.value("layers", json::array())) files.push_back(path_of(layer));
  const std::string config = path_of(shown->document.value("config", json::object()));
  json tags = json::array();
  if (!name.empty()) tags.push_back(base::with_tag(name));
  return {{{"Config", config}, {"RepoTags", tags}, {"Layers", files}}};
}

}  // namespace

Result<proto::ImageInfo> image_for_this_host(Daemon& daemon, proto::ImageInfo image) {
  if (image.platforms.size() < 2) return image;
  std::uint64_t size = 0;
  INGOT_TRY(const auto index, read_document(daemon, image.digest, image.name, size));
  const auto own = entry_for_this_host(index);
  if (!own) {
    return fail(ErrorKind::not_found,
                base::printable(image.name) + " has nothing for " + base::native_platform().text(),
                "it has: " + base::printable(base::join(image.platforms, ", ")));
  }
  image.digest = own->value("digest", "");
  image.platforms.clear();
  return image;
}

Status write_image_archive(Daemon& daemon, const proto::ImageInfo& image, int fd) {
  Manifest top;
  top.digest = image.digest;
  INGOT_TRY(top.document, read_document(daemon, image.digest, image.name, top.size));
  const bool is_index = top.document.contains("manifests");
  INGOT_TRY(const auto manifests, manifests_of(daemon, top, image.name));
  if (manifests.empty()) return fail(ErrorKind::invalid, "the image " + base::printable(image.name) + " is empty");

  ArchiveWriter archive(daemon, fd);
  INGOT_CHECK(archive.add_text("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"));
  const std::string name = base::with_tag(image.name);
  const json annotations = {{"org.opencontainers.image.ref.name", name}, {"io.containerd.image.name", name}};
  const json index = {{"schemaVersion", 2},
                      {"manifests",
                       {{{"mediaType", is_index ? proto::kIndexMediaType : proto::kManifestMediaType},
                         {"digest", image.digest},
                         {"size", top.size},
                         {"annotations", annotations}}}}};
  INGOT_CHECK(archive.add_text("index.json", proto::dump(index)));
  INGOT_CHECK(archive.add_text("manifest.json", proto::dump(docker_manifest(top, manifests, image.name))));
  if (is_index) INGOT_CHECK(archive.add_blob(top.digest, top.size));
  for (const auto& manifest : manifests) {
    INGOT_CHECK(archive.add_blob(manifest.digest, manifest.size));
    const json config = manifest.document.value("config", json::object());
    INGOT_CHECK(archive.add_blob(config.value("digest", ""), config.value("size", std::uint64_t{0})));
    for (const auto& layer : manifest.document.value("layers", json::array())) {
      INGOT_CHECK(archive.add_blob(layer.value("digest", ""), layer.value("size", std::uint64_t{0})));
    }
  }
  return archive.finish();
}

}  // namespace ingot::client
