#include "tests/support/oci_layout.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/base/digest.h"
#include "daemon/sys/files.h"

namespace ingot::test {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kBlock = 512;
constexpr const char* kManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kIndex = "application/vnd.oci.image.index.v1+json";

void must(const Status& status) {
  if (!status) throw std::runtime_error(proto::render(status.error()));
}

void put(std::string& block, std::size_t at, const std::string& text) {
  block.replace(at, text.size(), text);
}

std::string octal(unsigned long long number, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i > 0 && number > 0; --i, number /= 8) text[i - 1] = static_cast<char>('0' + number % 8);
  return text;
}

std::string padded(std::string text) {
  text.resize((text.size() + kBlock - 1) / kBlock * kBlock, '\0');
  return text;
}

std::string layer_type(const std::string& bytes) {
  const std::string plain = "application/vnd.oci.image.layer.v1.tar";
  if (bytes.starts_with("\x1f\x8b")) return plain + "+gzip";
  return bytes.starts_with("\x28\xb5\x2f\xfd") ? plain + "+zstd" : plain;
}

}  // namespace

void TarBytes::add(char type, const std::string& name, const std::string& text, unsigned mode,
                   const std::string& link) {
  std::string header(kBlock, '\0');
  put(header, 0, name);
  put(header, 100, octal(mode, 7));
  put(header, 108, octal(uid_, 7));
  put(header, 116, octal(gid_, 7));
  put(header, 124, octal(text.size(), 11));
  put(header, 136, octal(1'500'000'000, 11));
  put(header, 148, "        ");
  header[156] = type;
  put(header, 157, link);
  put(header, 257, std::string("ustar\00000", 8));
  put(header, 329, device_major_);
  put(header, 337, device_minor_);
  unsigned sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  put(header, 148, octal(sum, 6) + std::string("\0 ", 2));
  bytes_ += header + padded(text);
  if (type == 'x') return;
  uid_ = gid_ = 0;
  device_major_ = device_minor_ = "";
}

TarBytes& TarBytes::directory(const std::string& name, unsigned mode) {
  add('5', name, "", mode);
  return *this;
}
TarBytes& TarBytes::file(const std::string& name, const std::string& text, unsigned mode) {
  add('0', name, text, mode);
  return *this;
}
TarBytes& TarBytes::symlink(const std::string& name, const std::string& target) {
  add('2', name, "", 0777, target);
  return *this;
}
TarBytes& TarBytes::hard_link(const std::string& name, const std::string& target) {
  add('1', name, "", 0644, target);
  return *this;
}
TarBytes& TarBytes::character_device(const std::string& name, unsigned major, unsigned minor) {
  device_major_ = octal(major, 7);
  device_minor_ = octal(minor, 7);
  add('3', name, "", 0666);
  return *this;
}
TarBytes& TarBytes::owner(unsigned uid, unsigned gid) {
  uid_ = uid;
  gid_ = gid;
  return *this;
}

TarBytes& TarBytes::attribute(const std::string& name, const std::string& value) {
  // A record begins with its own length, which counts its own digits.
  const std::string rest = " SCHILY.xattr." + name + "=" + value + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  add('x', "attributes", std::to_string(length) + rest, 0644);
  return *this;
}

std::string TarBytes::bytes() const {
  return bytes_ + std::string(2 * kBlock, '\0');
}

OciLayout::OciLayout(fs::path directory) : directory_(std::move(directory)) {
  fs::create_directories(directory_ / "blobs/sha256");
  must(sys::write_file_durably(directory_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
}

json OciLayout::add_blob(const std::string& bytes, const std::string& media_type) {
  const auto digest = base::Digest::of(bytes);
  must(sys::write_file_durably(directory_ / "blobs/sha256" / digest.hex(), bytes));
  return {{"mediaType", media_type}, {"digest", digest.str()}, {"size", bytes.size()}};
}

json OciLayout::add_image(const std::vector<std::string>& layers, const json& config, const std::string& architecture) {
  json descriptors = json::array();
  json diff_ids = json::array();
  for (const auto& layer : layers) {
    descriptors.push_back(add_blob(layer, layer_type(layer)));
    diff_ids.push_back(base::Digest::of(layer).str());
  }
  json document = {{"config", config}, {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}};
  if (!architecture.empty()) document.update({{"architecture", architecture}, {"os", "linux"}});
  const json manifest = {{"schemaVersion", 2},
                         {"mediaType", kManifest},
                         {"config", add_blob(document.dump(), "application/vnd.oci.image.config.v1+json")},
                         {"layers", descriptors}};
  return add_blob(manifest.dump(), kManifest);
}

json OciLayout::add_index(const std::vector<json>& descriptors) {
  return add_blob(json({{"schemaVersion", 2}, {"mediaType", kIndex}, {"manifests", descriptors}}).dump(), kIndex);
}

void OciLayout::write_index(const std::vector<json>& descriptors) {
  must(sys::write_file_durably(directory_ / "index.json",
                               json({{"schemaVersion", 2}, {"manifests", descriptors}}).dump()));
}

fs::path OciLayout::blob(const json& descriptor) const {
  return directory_ / "blobs/sha256" / base::Digest::parse(descriptor.at("digest").get<std::string>())->hex();
}

const char* this_architecture() {
#if defined(__aarch64__)
  return "arm64";
#else
  return "amd64";
#endif
}

}  // namespace ingot::test
