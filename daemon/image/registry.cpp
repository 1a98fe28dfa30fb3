#include "daemon/image/skopeo.h"
#include "daemon/image/source.h"

namespace ingot::image {

Result<Fetched> fetch_from_registry(const Fetch& fetch) {
  std::vector<std::string> options;
  if (fetch.option("insecure") == "true") options.emplace_back("--src-tls-verify=false");
  if (auto file = fetch.option("authfile"); !file.empty()) options.push_back("--src-authfile=" + file);
  if (auto directory = fetch.option("cert_dir"); !directory.empty()) options.push_back("--src-cert-dir=" + directory);
  const Reference& reference = fetch.reference;
  std::string name = reference.full();
  if (auto prefix = fetch.option("prefix"); !prefix.empty()) {
    name =
        prefix + "/" + reference.repository + (reference.digest.empty() ? ":" + reference.tag : "@" + reference.digest);
  }
  auto fetched = fetch_through_skopeo(fetch, "docker://" + name, options);
  if (fetched) return fetched;
  Error error = fetched.error();
  if (error.hint.empty()) error.hint = cure_for_registry(error.message);
  return base::fail(std::move(error));
}

}  // namespace ingot::image
