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
  store::SnapshotStore& snapshots;
  sys::ProcessRunner& processes;
  const Progress& progress;
  const sys::CancelToken& cancel;

  std::string option(const std::string& name, const std::string& fallback = {}) const;
};

struct Fetched {
  store::Lease snapshot;
  graph::ImageConfig config;
  std::string source;  // for the log: "bootstrap bookworm"
};

using Source = Result<Fetched> (*)(const Fetch&);

// Null for a kind that is not known.
Source find_source(const std::string& kind);
const std::vector<std::string>& source_kinds();

Result<Fetched> fetch_by_bootstrap(const Fetch& fetch);
Result<Fetched> fetch_from_oci_layout(const Fetch& fetch);
Result<Fetched> fetch_from_archive(const Fetch& fetch);
Result<Fetched> fetch_from_registry(const Fetch& fetch);

// The image in an OCI layout directory, whose layers become snapshots. Shared by all sources that end in one.
Result<Fetched> unpack_oci_layout(const Fetch& fetch, const store::fs::path& layout, const Choice& choice);

inline constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace ingot::image
