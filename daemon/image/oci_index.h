#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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
};

struct OciImage {
  graph::ImageConfig config;
  std::vector<Descriptor> layers;     // bottom first
  std::vector<std::string> diff_ids;  // of the layers' tars, as its configuration has them
  std::string digest;                 // of the manifest or index that the choice meant
};

// Which of a layout's images is meant. No names: any.
struct Choice {
  std::vector<std::string> names;  // under any of which the layout may have it
  std::string digest;              // of the manifest or of an index above it; "" for any
};

// The image for this machine.
Result<OciImage> read_oci_image(const sys::fs::path& layout, const Choice& choice);

// Where a descriptor's blob is, once its bytes were held against it; `also` gets them too.
Result<sys::fs::path> checked_blob(const sys::fs::path& layout, const Descriptor& descriptor,
                                   const std::function<Status(std::string_view)>& also = {});

}  // namespace ingot::image
