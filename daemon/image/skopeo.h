#pragma once

#include <string>
#include <vector>

#include "daemon/image/source.h"

namespace ingot::image {

// A run of skopeo against somewhere, by the rule of the configuration that is for it, if there is one.
struct Skopeo {
  sys::ProcessRunner& processes;
  const Progress& progress;
  const sys::CancelToken& cancel;
  const SourceRule* rule = nullptr;
  const base::Platform& platform = base::native_platform();  // which one of an index is meant

  // Runs it with these arguments, and again when that may help; `where` is for messages. Its output goes to `out` if
  // that is given, else to the progress, line by line. A failure has skopeo's own words and a cure.
  Status run(const std::vector<std::string>& arguments, const std::string& where, std::string* out = nullptr) const;
  // What reaching a registry by the rule takes: options such as --dest-cert-dir, for a side of a copy or "" for none.
  std::vector<std::string> options(const std::string& side) const;

 private:
  Status run_once(const std::vector<std::string>& arguments, const std::string& where, std::string* out) const;
};

// Copies the image `from`, in skopeo's notation, into a layout of the work directory, and unpacks it. `is_chosen`: an
// index says already that it is for the platform, and its own word does not count.
Result<Fetched> fetch_through_skopeo(const Fetch& fetch, const std::string& from,
                                     const std::vector<std::string>& options, bool is_chosen = false);

}  // namespace ingot::image
