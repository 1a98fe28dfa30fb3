#include <unistd.h>

#include "daemon/image/skopeo.h"
#include "daemon/image/source.h"

// Images in a tar on disk, of OCI's or of Docker's form.
namespace ingot::image {

using base::fail;

namespace {

// Of the image that is there its index says more about a platform that it lacks than skopeo does.
Result<Fetched> fetch_one(const Fetch& fetch, const std::string& from) {
  auto fetched = fetch_through_skopeo(fetch, from, {});
  if (fetched || fetch.cancel.canceled()) return fetched;
  const Skopeo skopeo{fetch.processes, fetch.progress, fetch.cancel, &fetch.rule};
  std::string manifest;
  if (!skopeo.run({"inspect", "--raw", from}, from, &manifest)) return fetched;
  if (auto found = manifest_for(manifest, fetch.platform); !found && found.error().kind == ErrorKind::not_found) {
    return fail(found.error());
  }
  return fetched;
}

}  // namespace

Result<Fetched> fetch_from_archive(const Fetch& fetch) {
  const std::string path = fetch.option("path");
  if (path.empty()) return fail(ErrorKind::invalid, "the rule has no option path", "name the archive's file");
  if (access(path.c_str(), R_OK) != 0) return base::fail_errno(errno, "cannot read " + path);
  if (!fetch.reference.digest.empty()) {
    return fail(ErrorKind::unsupported,
                "an archive does not keep the digest that " + fetch.reference.familiar() + " asks for",
                "name the image by its tag");
  }
  const std::string from = fetch.rule.kind + ":" + path;
  auto only = fetch_one(fetch, from);
  if (only || fetch.cancel.canceled()) return only;
  // skopeo takes the one image of an archive without a name, and asks for it where there are several.
  const std::string& reason = only.error().message;
  const bool several =
      reason.find("expected 1 item") != std::string::npos || reason.find("more than one image") != std::string::npos;
  if (!several) return only;
  const bool docker = fetch.rule.kind == "docker-archive";
  return fetch_one(fetch, from + ":" + (docker ? fetch.reference.familiar() : fetch.reference.tag));
}

}  // namespace ingot::image
