#include "daemon/store/manifest_check.h"

#include <fmt/format.h>

#include <map>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"

namespace ingot::store {

namespace {

using base::fail;
using proto::EntryType;
using proto::ManifestEntry;

constexpr std::size_t kLongestPath = 4095;

tl::unexpected<Error> refuse(const std::string& path, const std::string& why, const std::string& hint = {}) {
  return fail(ErrorKind::invalid, fmt::format("context path \"{}\" {}", base::printable(path), why), hint);
}

Status check_path(const std::string& path) {
  constexpr std::size_t kLongestName = 255;
  if (path.empty()) return refuse(path, "is empty");
  if (path.front() == '/') return refuse(path, "is absolute", "paths of a context are relative to its directory");
  if (path.size() > kLongestPath) return refuse(path.substr(0, 80) + "...", "is too long");
  if (path.find('\0') != std::string::npos || !base::is_valid_utf8(path)) return refuse(path, "is no UTF-8 text");
  for (const auto& part : base::split(path, '/')) {
    if (part == ".." || part == "." || part.empty()) return refuse(path, "has a \"..\", \".\" or empty part");
    if (part.size() > kLongestName) return refuse(path.substr(0, 80) + "...", "has a name that is too long");
  }
  return {};
}

Status check_entry(const ManifestEntry& entry, const ContextLimits& limits) {
  INGOT_CHECK(check_path(entry.path));
  if (entry.mode > 07777) return refuse(entry.path, fmt::format("has mode {:o}, which is no permission", entry.mode));
  if (entry.type == EntryType::symlink) {
    const std::string& target = entry.link_target;
    if (target.empty()) return refuse(entry.path, "is a symlink to nothing");
    if (target.size() > kLongestPath) return refuse(entry.path, "is a symlink whose target is too long");
    if (target.find('\0') != std::string::npos || !base::is_valid_utf8(target)) {
      return refuse(entry.path, "is a symlink whose target is no UTF-8 text");
    }
    if (!link_stays_inside(entry.path, entry.link_target)) {
      return refuse(entry.path, "is a symlink that leads out of the project: " + base::printable(entry.link_target),
                    "copy what it points to into the project, or list it in .earthlyignore");
    }
  }
  if (entry.type == EntryType::file) {
    if (!base::Digest::parse(entry.digest)) return refuse(entry.path, "has no valid digest");
    if (entry.size > limits.max_file_bytes) {
      return fail(ErrorKind::too_large,
                  fmt::format("context path \"{}\" has {}; the limit for one file is {}", base::printable(entry.path),
                              base::human_bytes(entry.size), base::human_bytes(limits.max_file_bytes)),
                  "list it in .earthlyignore, or raise limits.context_file in the daemon's configuration");
    }
  }
  return {};
}

}  // namespace

bool link_stays_inside(const std::string& path, const std::string& target) {
  if (target.empty() || target.front() == '/') return false;
  auto depth = static_cast<long>(base::split(path, '/').size()) - 1;  // directories above the link
  for (const auto& part : base::split(target, '/')) {
    if (part.empty() || part == ".") continue;
    depth += part == ".." ? -1 : 1;
    if (depth < 0) return false;
  }
  return true;
}

Status check_manifest(const proto::ContextManifest& manifest, const ContextLimits& limits) {
  if (manifest.entries.size() > limits.max_entries) {
    return fail(ErrorKind::too_large,
                fmt::format("the context has {} entries; the limit is {}", manifest.entries.size(), limits.max_entries),
                "list what the build does not need in .earthlyignore");
  }
  std::uint64_t total = 0;
  std::map<std::string, EntryType> seen;
  for (const auto& entry : manifest.entries) {
    INGOT_CHECK(check_entry(entry, limits));
    if (!seen.emplace(entry.path, entry.type).second) return refuse(entry.path, "is listed twice");
    total += entry.size;
    if (total > limits.max_total_bytes) {
      return fail(ErrorKind::too_large,
                  fmt::format("the context has more than {}, which is the limit; it was passed at \"{}\"",
                              base::human_bytes(limits.max_total_bytes), base::printable(entry.path)),
                  "list what the build does not need in .earthlyignore");
    }
  }
  for (const auto& [path, type] : seen) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      auto above = seen.find(path.substr(0, slash));
      if (above != seen.end() && above->second != EntryType::directory) {
        return refuse(path, "lies below \"" + base::printable(above->first) + "\", which is no directory");
      }
    }
  }
  return {};
}

}  // namespace ingot::store
