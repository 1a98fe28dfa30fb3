#include "daemon/base/digest.h"
#include "daemon/image/skopeo.h"
#include "daemon/image/source.h"

namespace ingot::image {

namespace {

// What the name means at its registry at this moment: the digest of a manifest, or of an index of them.
Result<std::string> current_digest(const Fetch& fetch, const Skopeo& skopeo, const std::string& name) {
  if (!fetch.reference.digest.empty()) return fetch.reference.digest;
  std::vector<std::string> arguments{"inspect", "--raw"};
  for (auto& option : skopeo.options("")) arguments.push_back(std::move(option));
  arguments.push_back("docker://" + name);
  std::string manifest;
  INGOT_CHECK(skopeo.run(arguments, "docker://" + name, &manifest));
  return base::Digest::of(manifest).str();
}

}  // namespace

Result<Fetched> fetch_from_registry(const Fetch& fetch) {
  const Reference& reference = fetch.reference;
  std::string repository = reference.registry + "/" + reference.repository;
  if (auto prefix = fetch.option("prefix"); !prefix.empty()) repository = prefix + "/" + reference.repository;
  const std::string name = repository + (reference.digest.empty() ? ":" + reference.tag : "@" + reference.digest);

  const Skopeo skopeo{fetch.processes, fetch.progress, fetch.cancel, &fetch.rule};
  INGOT_TRY(auto digest, current_digest(fetch, skopeo, name));
  Fetched fetched;
  fetched.unchanged = digest == fetch.known;
  if (fetched.unchanged) return fetched;
  // By its digest: what is fetched is what is recorded, also when the tag moves on meanwhile.
  INGOT_TRY(fetched, fetch_through_skopeo(fetch, "docker://" + repository + "@" + digest, skopeo.options("src")));
  fetched.digest = std::move(digest);
  fetched.source = "docker://" + name;
  return fetched;
}

}  // namespace ingot::image
