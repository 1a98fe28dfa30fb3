#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/fetch/image_archive.h"
#include "client/fetch/image_load.h"
#include "client/render/text.h"
#include "daemon/base/strings.h"

// images, image save, image load, push.
namespace ingot::client {

namespace {

using base::fail;

// By name, by the digest of its manifest or its beginning, or by the job that made it; of several the latest.
Result<proto::ImageInfo> find_image(Daemon& daemon, const std::string& wanted) {
  INGOT_TRY(auto images, daemon.images());
  constexpr std::size_t kShortest = 3;
  const auto is_it = [&](const proto::ImageInfo& image) {
    if (image.name == wanted || image.digest == wanted) return true;
    if (wanted.size() < kShortest) return false;
    return image.digest.substr(image.digest.find(':') + 1).starts_with(wanted) || image.job.starts_with(wanted);
  };
  auto found = std::find_if(images.begin(), images.end(), is_it);
  if (found != images.end()) return *found;
  std::vector<std::string> names;
  names.reserve(images.size());
  for (const auto& image : images) names.push_back(image.name);
  std::string hint = base::did_you_mean(wanted, names);
  if (hint.empty()) hint = images.empty() ? "no job has made an image yet" : "`ingot images` lists them";
  return fail(ErrorKind::not_found, "there is no image \"" + base::printable(wanted) + "\"", hint);
}

Result<int> save(const Invocation& invocation, const std::string& name) {
  const std::string path = invocation.value("--output");
  if (path.empty()) {
    return fail(ErrorKind::usage, "image save needs a file", "-o FILE, or -o - for standard output");
  }
  if (path == "-" && isatty(STDOUT_FILENO) != 0) {
    return fail(ErrorKind::usage, "an image is nothing for a terminal", "-o FILE, or let it go into a pipe");
  }
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(auto image, find_image(daemon, name));
  if (path == "-") {
    INGOT_CHECK(write_image_archive(daemon, image, STDOUT_FILENO));
    return 0;
  }
  // It gets its name when it is whole.
  const std::string part = path + ".ingot-part";
  INGOT_TRY(auto file, sys::open_file(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0666));
  auto written = write_image_archive(daemon, image, file.get());
  if (written && rename(part.c_str(), path.c_str()) != 0) written = base::fail_errno(errno, "cannot name " + path);
  if (!written) {
    unlink(part.c_str());
    return fail(written.error());
  }
  if (!is_quiet(invocation)) {
    std::printf("%s  %s  %s\n", image.digest.c_str(), base::human_bytes(image.size).c_str(), visible(path).c_str());
  }
  return 0;
}

// Into podman or docker, whichever is here.
Result<int> load(const Invocation& invocation, const std::string& name) {
  std::string program = invocation.value("--into");
  if (program.empty()) {
    INGOT_TRY(program, image_loader({"podman", "docker"}));
  }
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(auto image, find_image(daemon, name));
  INGOT_CHECK(load_image(daemon, image, program));
  return 0;
}

}  // namespace

Result<int> run_images(const Invocation& invocation) {
  INGOT_TRY(auto images, open_daemon(invocation).images());
  if (wants_json(invocation)) {
    auto list = nlohmann::json::array();
    for (const auto& image : images) list.push_back(proto::to_json(image));
    print_json({{"images", list}});
    return 0;
  }
  for (const auto& image : images) {
    std::printf("%.19s  %-10s  %9s  %s%s\n", image.digest.c_str(), image.job.c_str(),
                base::human_bytes(image.size).c_str(), visible(image.name).c_str(),
                shown_platforms(image.platforms).c_str());
  }
  return 0;
}

Result<int> run_push(const Invocation& invocation) {
  if (invocation.words.empty() || invocation.words.size() > 2) {
    return fail(ErrorKind::usage, "push needs an image, and a name if it is to have another",
                "ingot push registry.example/edge:1, or ingot push JOB registry.example/edge:1");
  }
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(auto image, find_image(daemon, invocation.words.front()));
  const std::string& name = invocation.words.size() == 2 ? invocation.words.back() : image.name;
  const bool tells = !is_quiet(invocation) && !wants_json(invocation);
  INGOT_TRY(auto pushed, daemon.push({image.digest, name, invocation.has("--insecure")}, [&](const std::string& line) {
    if (!tells) return;
    std::printf("%s\n", visible(line).c_str());
    std::fflush(stdout);
  }));
  if (wants_json(invocation)) {
    print_json(proto::to_json(pushed));
  } else {
    const std::string how =
        fmt::format(", {} of {} sent", base::human_bytes(pushed.sent_bytes), base::human_bytes(pushed.bytes));
    std::printf("%s%s@%s%s\n", tells ? "pushed " : "", visible(pushed.name).c_str(), pushed.digest.c_str(),
                tells ? how.c_str() : "");
  }
  return 0;
}

Result<int> run_image(const Invocation& invocation) {
  if (invocation.words.size() != 2) {
    return fail(ErrorKind::usage, "image needs what to do, and an image", "ingot image save NAME -o FILE");
  }
  const std::string& what = invocation.words.front();
  if (what == "save") return save(invocation, invocation.words.back());
  if (what == "load") return load(invocation, invocation.words.back());
  return fail(ErrorKind::usage, "there is no command \"image " + base::printable(what) + "\"",
              base::did_you_mean(what, {"save", "load"}));
}

}  // namespace ingot::client
