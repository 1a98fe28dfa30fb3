#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/earthfiles.h"
#include "client/render/text_diff.h"
#include "daemon/earthfile/format.h"
#include "daemon/sys/atomic_file.h"

// fmt.
namespace ingot::client {

namespace {

namespace fs = std::filesystem;

// In the file's place, with its mode and owner; a link to it stays one.
Status write_back(const fs::path& path, const std::string& text) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  struct stat status {};
  if (error || stat(real.c_str(), &status) != 0) return base::fail_errno(errno, "cannot look at " + path.string());
  INGOT_TRY(auto file, sys::AtomicFile::create(real, status.st_mode & 07777U));
  // Only root can give a file to somebody else; whoever else may write to the directory gets one of his own.
  if (status.st_uid != geteuid() || status.st_gid != getegid()) {
    (void)!fchown(file.fd(), status.st_uid, status.st_gid);
  }
  INGOT_CHECK(file.write(text));
  return file.commit();
}

}  // namespace

Result<int> run_fmt(const Invocation& invocation) {
  const bool only_looks = invocation.has("--check") || invocation.has("--diff");
  int code = 0;
  bool differs = false;
  auto changed = nlohmann::json::array();
  for (const auto& path : earthfile_paths(invocation)) {
    INGOT_TRY(auto text, read_earthfile(path));
    const auto formatted = earthfile::format(text, path.string());
    if (!formatted) {
      const int failed = report_all(formatted.error());
      if (code == 0) code = failed;
      continue;
    }
    if (*formatted == text) continue;
    differs = true;
    changed.push_back(path.string());
    if (invocation.has("--diff") && !wants_json(invocation)) {
      std::fputs(text_diff(text, *formatted, path.string()).c_str(), stdout);
    } else if (!is_quiet(invocation) && !wants_json(invocation)) {
      std::printf("%s\n", visible(path.string()).c_str());
    }
    if (!only_looks) INGOT_CHECK(write_back(path, *formatted));
  }
  if (wants_json(invocation)) print_json({{"changed", changed}});
  if (code != 0) return code;
  return invocation.has("--check") && differs ? 1 : 0;
}

}  // namespace ingot::client
