#pragma once

#include "daemon/image/images.h"
#include "daemon/image/oci_index.h"
#include "daemon/image/reference.h"

namespace ingot::image {

// What a source works with while it fetches one image.
struct Fetch {
  const Reference& reference;
  const SourceRule& rule;
  const store::fs::path& work_directory;
  const store::BlobStore& blobs;
  store::SnapshotStore& snapshots;
  db::Database& database;
  sys::ProcessRunner& processes;
  const Progress& progress;
  const sys::CancelToken& cancel;
  std::string known;  // the digest of what is kept already, if the source is asked for something newer
  const base::Platform& platform = base::native_platform();

  std::string option(const std::string& name, const std::string& fallback = {}) const;
};

struct Fetched {
  store::Lease snapshot;
  graph::ImageConfig config;
  std::string source;      // for the log: "bootstrap bookworm"
  std::string digest;      // of its manifest; "" where there is none
  bool unchanged = false;  // the name means what is `known`: nothing was fetched
};

using Source = Result<Fetched> (*)(const Fetch&);

// Null for a kind that is not known.
Source find_source(const std::string& kind);
const std::vector<std::string>& source_kinds();

Result<Fetched> fetch_by_bootstrap(const Fetch& fetch);
Result<Fetched> fetch_from_oci_layout(const Fetch& fetch);
Result<Fetched> fetch_from_archive(const Fetch& fetch);
Result<Fetched> fetch_from_registry(const Fetch& fetch);

// An OCI layout directory: somebody's, or a scratch one of ours, whose files nobody changes.
struct Layout {
  const store::fs::path& directory;
  Choice choice;
  bool ours = false;
};
// The image in a layout, whose layers become snapshots and whose blobs are kept. Shared by all sources that end in one.
Result<Fetched> unpack_oci_layout(const Fetch& fetch, const Layout& layout);

inline constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace ingot::image
