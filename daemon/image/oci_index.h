#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/platform.h"
#include "daemon/graph/graph.h"
#include "daemon/sys/files.h"

// Reading an OCI image layout: a directory with index.json and blobs/sha256/. Every document and layer is held against
// the digest and the size that its descriptor promises.
namespace ingot::image {

struct Descriptor {
  std::string digest;
  std::string media_type;
  std::uint64_t size = 0;
  std::string name;  // its annotation ref.name
  std::string os;    // of its platform; "" when it states none
  std::string architecture;
  std::string variant;
};

struct OciImage {
  graph::ImageConfig config;
  std::vector<Descriptor> layers;     // bottom first
  std::vector<std::string> diff_ids;  // of the layers' tars, as its configuration has them
  std::string digest;                 // of the manifest or index that the choice meant
  bool names_platform = false;        // it says what it is for
};

// Which of a layout's images is meant. No names: any.
struct Choice {
  std::vector<std::string> names;  // under any of which the layout may have it
  std::string digest;              // of the manifest or of an index above it; "" for any
  base::Platform platform = base::native_platform();
  bool is_chosen = false;  // from an index, for the platform: what it says itself does not count
};

// The image for the platform, or for an older variant of it.
Result<OciImage> read_oci_image(const sys::fs::path& layout, const Choice& choice);

// Of a registry's answer: the digest of the manifest for the platform; nothing where the answer is no index. Kind
// `not_found` tells what there is.
Result<std::optional<std::string>> manifest_for(const std::string& answer, const base::Platform& platform);

// Where a descriptor's blob is, once its bytes were held against it; `also` gets them too.
Result<sys::fs::path> checked_blob(const sys::fs::path& layout, const Descriptor& descriptor,
                                   const std::function<Status(std::string_view)>& also = {});

}  // namespace ingot::image
