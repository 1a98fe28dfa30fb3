#include "client/fetch/image_load.h"

#include <cerrno>
#include <cstdio>

#include "client/fetch/image_archive.h"
#include "daemon/sys/find_program.h"

namespace ingot::client {

using base::fail;

Result<std::string> image_loader(const std::vector<std::string>& programs) {
  for (const auto& program : programs) {
    if (sys::find_program(program)) return program;
  }
  return fail(ErrorKind::unsupported, "neither podman nor docker is here to load an image into",
              "install one of them, or write the image to a file by `ingot image save`");
}

Status load_image(Daemon& daemon, const proto::ImageInfo& image, const std::string& program, bool quiet) {
  INGOT_TRY(const auto own, image_for_this_host(daemon, image));
  FILE* pipe = popen((program + " load" + (quiet ? " >/dev/null" : "")).c_str(), "we");
  if (pipe == nullptr) return base::fail_errno(errno, "cannot run " + program);
  auto written = write_image_archive(daemon, own, fileno(pipe));
  const int status = pclose(pipe);
  if (status != 0) return fail(ErrorKind::unavailable, program + " load failed", "its own words are above");
  return written;
}

}  // namespace ingot::client
