#include "tests/support/tiny_image.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/sys/process.h"
#include "tests/support/oci_layout.h"
#include "tests/support/temp.h"

namespace ingot::test {

namespace {

namespace fs = std::filesystem;

std::string run(std::vector<std::string> argv) {
  sys::Command command;
  command.argv = std::move(argv);
  auto captured = sys::capture(sys::system_processes(), command);
  if (!captured || !captured->status.ok()) throw std::runtime_error("cannot run " + command.argv.front());
  return captured->out;
}

std::string make_layer() {
  TempDirectory scratch;
  const fs::path root = scratch / "root";
  for (const char* name : {"bin", "etc", "tmp", "root", "proc", "dev", "sys"}) fs::create_directories(root / name);
  fs::permissions(root / "tmp", static_cast<fs::perms>(01777));
  fs::copy_file("/bin/busybox", root / "bin/busybox");
  for (const char* name :
       {"sh",  "cat",       "echo", "ls",   "mkdir", "sleep", "true",    "false",    "id",    "pwd",
        "env", "head",      "yes",  "wget", "nc",    "stat",  "touch",   "ln",       "rm",    "cp",
        "mv",  "sha256sum", "test", "dd",   "wc",    "tr",    "unshare", "mount",    "chown", "chmod",
        "ip",  "printf",    "seq",  "tail", "grep",  "tar",   "gzip",    "readlink", "kill",  "trap"}) {
    fs::create_symlink("busybox", root / "bin" / name);
  }
  scratch.file("root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
  scratch.file("root/etc/group", "root:x:0:\napp:x:1000:\nextra:x:2000:app\n");
  run({"tar", "--numeric-owner", "--owner=0", "--group=0", "--mtime=@0", "--sort=name", "-C", root, "-cf",
       scratch / "layer.tar", "."});
  return slurp(scratch / "layer.tar");
}

}  // namespace

void write_tiny_image(const fs::path& directory, const std::vector<std::string>& others) {
  OciLayout layout(directory);
  const nlohmann::json config = {{"Env", {"PATH=/bin", "TINY=yes"}}, {"WorkingDir", "/"}};
  const std::string layer = make_layer();
  std::vector<nlohmann::json> images{layout.add_image({layer}, config)};
  if (!others.empty()) images.back()["platform"] = {{"os", "linux"}, {"architecture", this_architecture()}};
  for (const auto& architecture : others) {
    images.push_back(layout.add_image({layer}, config, architecture));
    images.back()["platform"] = {{"os", "linux"}, {"architecture", architecture}};
  }
  layout.write_index(images);
}

}  // namespace ingot::test
