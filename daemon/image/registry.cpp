#include <array>

#include "daemon/image/skopeo.h"
#include "daemon/image/source.h"

namespace ingot::image {

namespace {

// Parts of what skopeo says, and what to do about them.
constexpr std::array<std::pair<std::string_view, const char*>, 4> kCures = {
    {{"unauthorized", "give the rule an option authfile: a file of logins as `skopeo login --authfile` writes it"},
     {"authentication required", "give the rule an option authfile: a file of logins as `skopeo login` writes it"},
     {"server gave HTTP response to HTTPS client", "the registry has no TLS: give the rule the option insecure: true"},
     {"certificate signed by unknown authority", "give the rule an option cert_dir with the registry's CA"}}};

}  // namespace

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
  for (const auto& [words, cure] : kCures) {
    if (error.hint.empty() && error.message.find(words) != std::string::npos) error.hint = cure;
  }
  return base::fail(std::move(error));
}

}  // namespace ingot::image
