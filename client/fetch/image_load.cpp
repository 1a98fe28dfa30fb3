#include "client/fetch/image_load.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "client/fetch/image_archive.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"
#include "daemon/sys/find_program.h"
#include "daemon/sys/temp_dir.h"

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
  std::optional<sys::TempDir> words;
  std::string command = program + " load";
  if (quiet) {
    INGOT_TRY(words, sys::TempDir::create(std::filesystem::temp_directory_path(), "ingot-load-"));
    command += " >'" + (words->path() / "words").string() + "' 2>&1";
  }
  FILE* pipe = popen(command.c_str(), "we");
  if (pipe == nullptr) return base::fail_errno(errno, "cannot run " + program);
  auto written = write_image_archive(daemon, own, fileno(pipe));
  if (pclose(pipe) == 0) return written;
  const std::string failed = program + " load failed";
  if (!quiet) return fail(ErrorKind::unavailable, failed, "its own words are above");
  const auto text = sys::read_file(words->path() / "words");
  return fail(ErrorKind::unavailable, failed + ": " + base::printable(std::string(base::trim(text.value_or("")))));
}

}  // namespace ingot::client
