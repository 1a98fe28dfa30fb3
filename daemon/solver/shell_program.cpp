#include "daemon/solver/shell_program.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace ingot::solver {

std::string shell_program_of(const sys::RootedDir& root) {
  for (const char* directory : {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    if (root.exists(std::string(directory) + "[[")) return "";
  }
  auto shell = root.open_path("/bin/sh", O_PATH);
  if (!shell) return "";
  return sys::name_of(shell->get());
}

}  // namespace ingot::solver
