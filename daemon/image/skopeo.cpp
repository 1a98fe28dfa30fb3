#include "daemon/image/skopeo.h"

#include <fmt/format.h>

#include "daemon/image/program_output.h"
#include "daemon/image/registry_failure.h"

namespace ingot::image {

namespace {

using base::fail;

constexpr std::size_t kLargestOutput = 16U << 20;

// `time="..." level=fatal msg="..."` as its message alone.
std::string message_of(const std::string& line) {
  constexpr std::string_view kMessage = "msg=\"";
  const std::size_t found = line.find(kMessage);
  if (found == std::string::npos) return line;
  std::string message;
  for (std::size_t i = found + kMessage.size(); i < line.size() && line[i] != '"'; ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    message += line[i];
  }
  return message;
}

}  // namespace

Status Skopeo::run(const std::vector<std::string>& arguments, const std::string& where, std::string* out) const {
  return with_patience([&] { return run_once(arguments, where, out); }, progress, cancel);
}

Status Skopeo::run_once(const std::vector<std::string>& arguments, const std::string& where, std::string* out) const {
  sys::Command command;
  command.argv = {"skopeo", "--insecure-policy"};
  if (platform != base::native_platform()) {
    command.argv.push_back("--override-os=" + platform.os);
    command.argv.push_back("--override-arch=" + platform.architecture);
    if (!platform.variant.empty()) command.argv.push_back("--override-variant=" + platform.variant);
  }
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.grace = std::chrono::seconds(1);
  std::string last;  // what it said last on stderr is why it failed
  LineCutter said(progress);
  LineCutter complained([&](const std::string& line) { last = line; });
  if (out != nullptr) out->clear();
  auto sink = [&](sys::Stream stream, std::string_view bytes) {
    if (stream == sys::Stream::err)
      complained.feed(bytes);
    else if (out == nullptr)
      said.feed(bytes);
    else if (out->size() < kLargestOutput)
      *out += bytes;
  };
  INGOT_TRY(auto status, processes.run(command, sink, cancel));
  said.finish();
  complained.finish();
  if (status.canceled) return fail(ErrorKind::canceled, "canceled");
  if (status.ok()) return {};
  return fail(registry_error(fmt::format("skopeo {} {} ended with status {}", arguments.front(), where, status.code),
                             last.empty() ? "it does not say why" : excerpt(message_of(last)), rule));
}

std::vector<std::string> Skopeo::options(const std::string& side) const {
  std::vector<std::string> options;
  const auto option = [&](const char* name) {
    return rule != nullptr && rule->options.contains(name) ? rule->options.at(name) : std::string();
  };
  const std::string begin = side.empty() ? "--" : "--" + side + "-";
  if (option("insecure") == "true") options.push_back(begin + "tls-verify=false");
  if (auto file = option("authfile"); !file.empty()) options.push_back(begin + "authfile=" + file);
  if (auto directory = option("cert_dir"); !directory.empty()) options.push_back(begin + "cert-dir=" + directory);
  return options;
}

Result<Fetched> fetch_through_skopeo(const Fetch& fetch, const std::string& from,
                                     const std::vector<std::string>& options, bool is_chosen) {
  INGOT_TRY(auto scratch, sys::TempDir::create(fetch.work_directory, "fetch-"));
  const store::fs::path layout = scratch.path() / "layout";
  std::vector<std::string> arguments{"copy"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(from);
  arguments.push_back("oci:" + layout.string() + ":image");
  fetch.progress("fetching " + from);
  const Skopeo skopeo{fetch.processes, fetch.progress, fetch.cancel, &fetch.rule, fetch.platform};
  INGOT_CHECK(skopeo.run(arguments, from));
  INGOT_TRY(auto fetched, unpack_oci_layout(fetch, {layout, {{"image"}, "", fetch.platform, is_chosen}, true}));
  fetched.source = from;
  return fetched;
}

}  // namespace ingot::image
