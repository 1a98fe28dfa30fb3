#include "daemon/image/skopeo.h"

#include <fmt/format.h>

#include <array>

#include "daemon/image/program_output.h"

namespace ingot::image {

namespace {

using base::fail;

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

Status run_skopeo(const std::vector<std::string>& arguments, sys::ProcessRunner& processes, const Progress& progress,
                  const sys::CancelToken& cancel) {
  sys::Command command;
  command.argv = {"skopeo", "--insecure-policy"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.grace = std::chrono::seconds(1);
  std::string last;  // what it said last on stderr is why it failed
  LineCutter said(progress);
  LineCutter complained([&](const std::string& line) { last = line; });
  auto sink = [&](sys::Stream stream, std::string_view bytes) {
    (stream == sys::Stream::out ? said : complained).feed(bytes);
  };
  INGOT_TRY(auto status, processes.run(command, sink, cancel));
  said.finish();
  complained.finish();
  if (status.canceled) return fail(ErrorKind::canceled, "canceled");
  if (status.ok()) return {};
  return fail(ErrorKind::unavailable, fmt::format("ended with status {}: {}", status.code,
                                                  last.empty() ? "it does not say why" : excerpt(message_of(last))));
}

std::string cure_for_registry(const std::string& message) {
  constexpr std::array<std::pair<std::string_view, const char*>, 4> kCures = {
      {{"unauthorized", "give the rule an option authfile: a file of logins as `skopeo login --authfile` writes it"},
       {"authentication required", "give the rule an option authfile: a file of logins as `skopeo login` writes it"},
       {"server gave HTTP response to HTTPS client", "the registry has no TLS: give the rule an option insecure: true"},
       {"certificate signed by unknown authority", "give the rule an option cert_dir with the registry's CA"}}};
  for (const auto& [words, cure] : kCures) {
    if (message.find(words) != std::string::npos) return cure;
  }
  return {};
}

Result<Fetched> fetch_through_skopeo(const Fetch& fetch, const std::string& from,
                                     const std::vector<std::string>& options) {
  INGOT_TRY(auto scratch, sys::TempDir::create(fetch.work_directory, "fetch-"));
  const store::fs::path layout = scratch.path() / "layout";
  std::vector<std::string> arguments{"copy", "--retry-times=2"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(from);
  arguments.push_back("oci:" + layout.string() + ":image");
  fetch.progress("fetching " + from);
  auto copied = run_skopeo(arguments, fetch.processes, fetch.progress, fetch.cancel);
  if (!copied && copied.error().kind == ErrorKind::unavailable) {
    return fail(ErrorKind::unavailable, "skopeo copy " + from + " " + copied.error().message);
  }
  INGOT_CHECK(copied);
  INGOT_TRY(auto fetched, unpack_oci_layout(fetch, layout, {{"image"}, ""}));
  fetched.source = from;
  return fetched;
}

}  // namespace ingot::image
