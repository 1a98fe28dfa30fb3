#include <fmt/format.h>

#include "daemon/base/strings.h"
#include "daemon/image/source.h"

namespace ingot::image {

namespace {

using base::fail;

// skopeo's own words, without its time and level: the last line says what failed.
std::string reason_of(const std::string& output) {
  std::string last;
  for (const auto& line : base::split(output, '\n')) {
    if (!base::trim(line).empty()) last = base::trim(line);
  }
  if (std::size_t message = last.find("msg=\""); message != std::string::npos) {
    last = last.substr(message + 5);
    if (last.ends_with('"')) last.pop_back();
  }
  return base::printable(last);
}

// Copies `from`, in skopeo's notation, to a layout and unpacks it.
Result<Fetched> fetch_through_skopeo(const Fetch& fetch, const std::string& from,
                                     const std::vector<std::string>& options) {
  INGOT_TRY(auto scratch, sys::TempDir::create(fetch.work_directory, "fetch-"));
  const store::fs::path layout = scratch.path() / "layout";
  sys::Command command;
  command.argv = {"skopeo", "--insecure-policy", "copy", "--retry-times=2"};
  command.argv.insert(command.argv.end(), options.begin(), options.end());
  command.argv.push_back(from);
  command.argv.push_back("oci:" + layout.string() + ":image");
  command.grace = std::chrono::seconds(1);
  fetch.progress("fetching " + from);
  INGOT_TRY(auto captured, sys::capture(fetch.processes, command, fetch.cancel));
  if (captured.status.canceled) return fail(ErrorKind::canceled, "canceled");
  if (!captured.status.ok()) {
    return fail(ErrorKind::unavailable, fmt::format("skopeo copy {} ended with status {}: {}", from,
                                                    captured.status.code, reason_of(captured.err)));
  }
  INGOT_TRY(auto fetched, unpack_oci_layout(fetch, layout, "image"));
  fetched.source = from;
  return fetched;
}

}  // namespace

Result<Fetched> fetch_from_registry(const Fetch& fetch) {
  std::vector<std::string> options;
  if (fetch.option("insecure") == "true") options.emplace_back("--src-tls-verify=false");
  if (auto file = fetch.option("authfile"); !file.empty()) {
    options.emplace_back("--src-authfile");
    options.push_back(file);
  }
  if (auto directory = fetch.option("cert_dir"); !directory.empty()) {
    options.emplace_back("--src-cert-dir");
    options.push_back(directory);
  }
  std::string name = fetch.reference.full();
  if (auto prefix = fetch.option("prefix"); !prefix.empty()) {
    name = prefix + "/" + fetch.reference.repository +
           (fetch.reference.digest.empty() ? ":" + fetch.reference.tag : "@" + fetch.reference.digest);
  }
  return fetch_through_skopeo(fetch, "docker://" + name, options);
}

Result<Fetched> fetch_from_archive(const Fetch& fetch) {
  const std::string path = fetch.option("path");
  if (path.empty()) return fail(ErrorKind::invalid, "the rule for " + fetch.rule.match + " has no option path");
  return fetch_through_skopeo(fetch, fetch.rule.kind + ":" + path, {});
}

}  // namespace ingot::image
