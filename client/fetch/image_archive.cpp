#include "client/fetch/image_archive.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/base/digest.h"
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

}  // namespace

Status write_image_archive(Daemon& daemon, const proto::ImageInfo& image, int fd) {
  INGOT_TRY(auto text, read_blob(daemon, image.digest));
  if (base::Digest::of(text).str() != image.digest) {
    return fail(ErrorKind::internal, "the manifest of " + image.name + " has other bytes than its digest says",
                "the daemon's disk is damaged; build the image again");
  }
  INGOT_TRY(auto manifest, proto::parse_json(text));
  const json config = manifest.value("config", json::object());
  const json layers = manifest.value("layers", json::array());

  ArchiveWriter archive(daemon, fd);
  INGOT_CHECK(archive.add_text("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"));
  const json annotations = {{"org.opencontainers.image.ref.name", image.name},
                            {"io.containerd.image.name", image.name}};
  const json index = {{"schemaVersion", 2},
                      {"manifests",
                       {{{"mediaType", proto::kManifestMediaType},
                         {"digest", image.digest},
                         {"size", text.size()},
                         {"annotations", annotations}}}}};
  INGOT_CHECK(archive.add_text("index.json", proto::dump(index)));
  json files = json::array();
  for (const auto& layer : layers) files.push_back(path_of(layer));
  const json docker = {{{"Config", path_of(config)}, {"RepoTags", {image.name}}, {"Layers", files}}};
  INGOT_CHECK(archive.add_text("manifest.json", proto::dump(docker)));
  INGOT_CHECK(archive.add_blob(image.digest, text.size()));
  INGOT_CHECK(archive.add_blob(config.value("digest", ""), config.value("size", std::uint64_t{0})));
  for (const auto& layer : layers) {
    INGOT_CHECK(archive.add_blob(layer.value("digest", ""), layer.value("size", std::uint64_t{0})));
  }
  return archive.finish();
}

}  // namespace ingot::client
