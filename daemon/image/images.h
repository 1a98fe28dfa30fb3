#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/platform.h"
#include "daemon/graph/graph.h"
#include "daemon/store/blobs.h"
#include "daemon/store/snapshots.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/process.h"
#include "proto/types.h"

namespace ingot::image {

// One row of the configuration's `images`: names that match go to this source, first match first; when it
// fails the next row that matches is tried.
struct SourceRule {
  std::string match;  // glob over the full name, e.g. "debian:*", "registry.example/*", "*"
  std::string kind;   // bootstrap | oci-layout | oci-archive | docker-archive | registry
  // By kind. bootstrap: suite, mirror, variant, include; *-layout/-archive: path (with {name} and {tag});
  // registry: prefix, insecure, authfile, cert_dir.
  std::map<std::string, std::string> options;
};

// Debian and Ubuntu names to bootstrap, everything else to a registry.
std::vector<SourceRule> default_rules();

struct Image {
  std::string reference;
  store::SnapshotId snapshot = 0;
  graph::ImageConfig config;
  std::string source;  // "bootstrap bookworm", for the log
  std::string digest;  // of the manifest that the name meant there, or of the files; scratch has none
  store::Lease lease;  // keeps the snapshot while somebody has the image
};

using Progress = std::function<void(const std::string& line)>;

// Images by name, each fetched once and kept, however many jobs ask at the same time; "scratch" is empty. Thread-safe.
class Images {
 public:
  // The work directory is on the blobs' file system.
  Images(std::vector<SourceRule> rules, const store::fs::path& work_directory, const store::BlobStore& blobs,
         store::SnapshotStore& snapshots, db::Database& database, sys::ProcessRunner& processes);
  ~Images();

  // An image that cannot be had for the platform is kind `not_found`, with one context line for every source that was
  // tried and why it failed. With `always` its source is asked what the name means now, and fetched only if that is
  // something else than what is kept; with `never` only a kept one is found.
  Result<Image> resolve(const std::string& reference, const Progress& progress, const sys::CancelToken& cancel,
                        proto::PullPolicy policy = proto::PullPolicy::missing,
                        const base::Platform& platform = base::native_platform());
  void set_rules(std::vector<SourceRule> rules);
  // The rule by which this name is pushed: the first of kind registry that matches.
  std::optional<SourceRule> registry_rule(const std::string& reference) const;
  // What fetched images took on the disk since the daemon started.
  std::uint64_t fetched_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ingot::image
