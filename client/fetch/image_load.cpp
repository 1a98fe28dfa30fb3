#include "client/fetch/image_load.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "client/fetch/image_archive.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"
#include "daemon/sys/find_program.h"
#include "daemon/sys/process.h"

namespace ingot::client {

using base::fail;

namespace {

constexpr std::size_t kMostWords = 4096;

bool has_engine(const std::string& program) {
  sys::Command command;
  command.argv = {program, "version"};
  const auto ended = sys::system_processes().run(command, [](sys::Stream, std::string_view) {}, {});
  return ended && ended->ok();
}

}  // namespace

Result<std::string> image_loader(const std::vector<std::string>& programs) {
  for (const auto& program : programs) {
    if (sys::find_program(program)) return program;
  }
  return fail(ErrorKind::unsupported, "neither podman nor docker is here to load an image into",
              "install one of them, or write the image to a file by `ingot image save`");
}

Result<std::string> working_image_loader(const std::vector<std::string>& programs) {
  std::vector<std::string> there;
  for (const auto& program : programs) {
    if (sys::find_program(program)) there.push_back(program);
  }
  for (const auto& program : there) {
    if (there.size() > 1 && has_engine(program)) return program;
  }
  return image_loader(programs);
}

Status load_image(Daemon& daemon, const proto::ImageInfo& image, const std::string& program, bool quiet,
                  const sys::CancelToken& cancel) {
  INGOT_TRY(const auto own, image_for_this_host(daemon, image));
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno(errno, "cannot make a pipe");
  sys::UniqueFd from(ends[0]);
  sys::UniqueFd into(ends[1]);
  Status written;
  std::thread writer([&] {
    written = write_image_archive(daemon, own, into.get());
    into.reset();
  });
  // Its own end of the pipe, so that ours is the only other one: with that closed, nobody writes for ever.
  sys::Command command;
  command.argv = {"/bin/sh", "-c", "exec \"$0\" load <\"$1\"", program,
                  "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(from.get())};
  std::string words;
  const auto ended = sys::system_processes().run(
      command,
      [&](sys::Stream stream, std::string_view bytes) {
        if (quiet) words += bytes.substr(0, std::min(bytes.size(), kMostWords - words.size()));
        if (!quiet) (void)sys::write_all(stream == sys::Stream::out ? STDOUT_FILENO : STDERR_FILENO, bytes);
      },
      cancel);
  from.reset();
  writer.join();
  if (!ended) return fail(base::with_context(ended.error(), "while running " + program));
  if (ended->canceled) return fail(ErrorKind::canceled, "canceled");
  if (ended->ok()) return written;
  Error error{ErrorKind::unavailable, program + " load failed", quiet ? "" : "its own words are above", {}, {}};
  if (quiet) error.message += ": " + base::printable(std::string(base::trim(words)));
  if (!written) error.context.push_back(base::printable(written.error().message));
  return fail(std::move(error));
}

}  // namespace ingot::client
