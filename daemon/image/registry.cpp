#include "daemon/base/digest.h"
#include "daemon/image/skopeo.h"
#include "daemon/image/source.h"

namespace ingot::image {

namespace {

// What the name means at its registry at this moment: a manifest, or an index of them.
Result<std::string> current_manifest(const Skopeo& skopeo, const std::string& name) {
  std::vector<std::string> arguments{"inspect", "--raw"};
  for (auto& option : skopeo.options("")) arguments.push_back(std::move(option));
  arguments.push_back("docker://" + name);
  std::string manifest;
  INGOT_CHECK(skopeo.run(arguments, "docker://" + name, &manifest));
  return manifest;
}

}  // namespace

Result<Fetched> fetch_from_registry(const Fetch& fetch) {
  const Reference& reference = fetch.reference;
  std::string repository = reference.registry + "/" + reference.repository;
  if (auto prefix = fetch.option("prefix"); !prefix.empty()) repository = prefix + "/" + reference.repository;
  const std::string name = repository + (reference.digest.empty() ? ":" + reference.tag : "@" + reference.digest);

  const Skopeo skopeo{fetch.processes, fetch.progress, fetch.cancel, &fetch.rule};
  INGOT_TRY(const auto manifest, current_manifest(skopeo, name));
  const std::string digest =
      reference.digest.empty() ? base::Digest::of(manifest).str() : std::string(reference.digest);
  Fetched fetched;
  fetched.unchanged = digest == fetch.known;
  if (fetched.unchanged) return fetched;
  INGOT_TRY(const auto of_index, manifest_for(manifest, fetch.platform));
  // By its digest: what is fetched is what is recorded, also when the tag moves on meanwhile.
  INGOT_TRY(fetched, fetch_through_skopeo(fetch, "docker://" + repository + "@" + of_index.value_or(digest),
                                          skopeo.options("src"), of_index.has_value()));
  fetched.digest = digest;
  fetched.source = "docker://" + name;
  return fetched;
}

}  // namespace ingot::image
