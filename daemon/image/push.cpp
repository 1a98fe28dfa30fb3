#include "daemon/image/push.h"

#include <nlohmann/json.hpp>

#include "daemon/image/layout.h"
#include "daemon/image/packed_image.h"
#include "daemon/image/reference.h"
#include "daemon/image/skopeo.h"
#include "daemon/image/transfer_watch.h"
#include "proto/codec.h"

namespace ingot::image {

using base::fail;

namespace {

// What an image is, and its layers' file names in a layout, with their sizes.
struct Parts {
  bool is_index = false;
  std::map<std::string, std::uint64_t> layers;
};

Status add_layers(const nlohmann::json& manifest, Parts& parts) {
  for (const auto& layer : manifest.value("layers", nlohmann::json::array())) {
    INGOT_TRY(auto digest, base::Digest::parse(layer.value("digest", "")));
    parts.layers[digest.hex()] = layer.value("size", std::uint64_t{0});
  }
  return {};
}

Result<Parts> parts_of(const base::Digest& image, const store::BlobStore& blobs) {
  INGOT_TRY(const auto document, read_document(image, blobs));
  Parts parts;
  parts.is_index = document.contains("manifests");
  INGOT_CHECK(add_layers(document, parts));
  for (const auto& one : document.value("manifests", nlohmann::json::array())) {
    INGOT_TRY(const auto digest, base::Digest::parse(one.value("digest", "")));
    INGOT_TRY(const auto manifest, read_document(digest, blobs));
    INGOT_CHECK(add_layers(manifest, parts));
  }
  return parts;
}

SourceRule rule_of(const Push& push) {
  SourceRule rule = push.rule.value_or(SourceRule{});
  if (push.insecure) rule.options["insecure"] = "true";
  return rule;
}

// Whether the name means this manifest there already. What cannot be asked is pushed.
bool is_there(const Skopeo& skopeo, const std::string& name, const base::Digest& manifest) {
  std::vector<std::string> arguments{"inspect", "--raw"};
  for (auto& option : skopeo.options("")) arguments.push_back(std::move(option));
  arguments.push_back("docker://" + name);
  std::string found;
  return skopeo.run(arguments, "docker://" + name, &found) && base::Digest::of(found) == manifest;
}

}  // namespace

Status check_push(const base::Digest& image, const std::string& name, const LayerBlobs& layers,
                  const store::BlobStore& blobs) {
  INGOT_TRY(auto reference, parse_reference(name));
  if (!reference.digest.empty()) {
    return fail(ErrorKind::invalid, "an image is pushed under a tag, not as " + reference.familiar(),
                "leave out what follows the @; the digest stays what it is");
  }
  if (!blobs.has(image)) return fail(ErrorKind::not_found, "there is no image " + image.str());
  INGOT_TRY(auto needed, blobs_of(image, blobs));
  for (const auto& blob : needed) {
    INGOT_TRY(const auto size, layers.composed().size_of_any(blob));
    if (size) continue;
    return fail(ErrorKind::not_found, "image " + image.str() + " lacks its blob " + blob.str(), "build it again");
  }
  return {};
}

Result<proto::ImagePushed> push_image(const Push& push) {
  INGOT_CHECK(check_push(push.image, push.name, push.layers, push.blobs));
  INGOT_TRY(auto reference, parse_reference(push.name));
  const auto hold = push.blobs.ledger().hold();  // what is packed now is nobody's otherwise
  INGOT_TRY(const auto image, packed_image(push.image, push.compression, push.layers, push.blobs, push.cancel));
  INGOT_TRY(auto layout, lay_out(image, "image", push.blobs, push.layers.composed(), push.work_directory));
  INGOT_TRY(auto parts, parts_of(image, push.blobs));
  proto::ImagePushed pushed;
  pushed.name = reference.familiar();
  pushed.digest = image.str();
  for (const auto& [layer, size] : parts.layers) pushed.bytes += size;

  const SourceRule rule = rule_of(push);
  const Skopeo skopeo{push.processes, push.progress, push.cancel, &rule};
  if (push.may_be_there && is_there(skopeo, reference.full(), image)) return pushed;
  // skopeo asks for each blob before it sends it, sends the layers, then the configuration, and then puts the manifest
  // under the tag by one request, which a registry refuses while it lacks a blob: a tag never means half an image. The
  // digest must be ours at the other end too: nothing is packed anew on the way. Of an index it sends each manifest in
  // that way by its digest, and then the index under the tag.
  std::vector<std::string> arguments{"copy", "--quiet", "--preserve-digests"};
  if (parts.is_index) arguments.emplace_back("--all");
  for (auto& option : skopeo.options("dest")) arguments.push_back(std::move(option));
  arguments.push_back("oci:" + layout.path().string() + ":image");
  arguments.push_back("docker://" + reference.full());
  push.progress("pushing " + pushed.name);
  TransferWatch watch(layout.path() / "blobs/sha256", std::move(parts.layers), push.progress);
  auto done = skopeo.run(arguments, "docker://" + reference.full());
  pushed.sent_bytes = watch.stop();
  if (done) return pushed;
  Error error = done.error();
  if (error.kind != ErrorKind::canceled) error.message = "cannot push " + pushed.name + ": " + error.message;
  return fail(std::move(error));
}

}  // namespace ingot::image
