#include "daemon/image/skopeo.h"

#include <fmt/format.h>

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
  std::string last;  // what it said last on stderr is why it failed
  LineCutter said(fetch.progress);
  LineCutter complained([&](const std::string& line) { last = line; });
  auto sink = [&](sys::Stream stream, std::string_view bytes) {
    (stream == sys::Stream::out ? said : complained).feed(bytes);
  };
  INGOT_TRY(auto status, fetch.processes.run(command, sink, fetch.cancel));
  said.finish();
  complained.finish();
  if (status.canceled) return fail(ErrorKind::canceled, "canceled");
  if (!status.ok()) {
    return fail(ErrorKind::unavailable, fmt::format("skopeo copy {} ended with status {}: {}", from, status.code,
                                                    last.empty() ? "it does not say why" : excerpt(message_of(last))));
  }
  INGOT_TRY(auto fetched, unpack_oci_layout(fetch, layout, {{"image"}, ""}));
  fetched.source = from;
  return fetched;
}

}  // namespace ingot::image
