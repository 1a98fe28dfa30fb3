#include "tests/support/tiny_image.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/base/digest.h"
#include "daemon/sys/files.h"
#include "daemon/sys/process.h"
#include "tests/support/temp.h"

namespace ingot::test {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void must(const Status& status) {
  if (!status) throw std::runtime_error(proto::render(status.error()));
}

std::string run(std::vector<std::string> argv) {
  sys::Command command;
  command.argv = std::move(argv);
  auto captured = sys::capture(sys::system_processes(), command);
  if (!captured || !captured->status.ok()) throw std::runtime_error("cannot run " + command.argv.front());
  return captured->out;
}

// Keeps `text` in the layout; returns its descriptor.
json add_blob(const fs::path& layout, const std::string& text, const std::string& media_type) {
  const auto digest = base::Digest::of(text);
  must(sys::write_file_durably(layout / "blobs/sha256" / digest.hex(), text));
  return {{"mediaType", media_type}, {"digest", digest.str()}, {"size", text.size()}};
}

std::string make_layer() {
  TempDirectory scratch;
  const fs::path root = scratch / "root";
  for (const char* name : {"bin", "etc", "tmp", "root", "proc", "dev", "sys"}) fs::create_directories(root / name);
  fs::permissions(root / "tmp", static_cast<fs::perms>(01777));
  fs::copy_file("/bin/busybox", root / "bin/busybox");
  for (const char* name : {"sh",  "cat",       "echo", "ls",   "mkdir", "sleep", "true",    "false", "id",    "pwd",
                           "env", "head",      "yes",  "wget", "nc",    "stat",  "touch",   "ln",    "rm",    "cp",
                           "mv",  "sha256sum", "test", "dd",   "wc",    "tr",    "unshare", "mount", "chown", "chmod",
                           "ip",  "printf",    "seq",  "tail", "grep",  "kill",  "trap"}) {
    fs::create_symlink("busybox", root / "bin" / name);
  }
  scratch.file("root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
  scratch.file("root/etc/group", "root:x:0:\napp:x:1000:\nextra:x:2000:app\n");
  run({"tar", "--numeric-owner", "--owner=0", "--group=0", "--mtime=@0", "--sort=name", "-C", root, "-cf",
       scratch / "layer.tar", "."});
  return slurp(scratch / "layer.tar");
}

}  // namespace

void write_tiny_image(const fs::path& layout) {
  fs::create_directories(layout / "blobs/sha256");
  const std::string layer = make_layer();
  const json config = {
      {"architecture", run({"dpkg", "--print-architecture"}).substr(0, 5) == "arm64" ? "arm64" : "amd64"},
      {"os", "linux"},
      {"config", {{"Env", {"PATH=/bin", "TINY=yes"}}, {"WorkingDir", "/"}}},
      {"rootfs", {{"type", "layers"}, {"diff_ids", {base::Digest::of(layer).str()}}}}};
  const json manifest = {{"schemaVersion", 2},
                         {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                         {"config", add_blob(layout, config.dump(), "application/vnd.oci.image.config.v1+json")},
                         {"layers", {add_blob(layout, layer, "application/vnd.oci.image.layer.v1.tar")}}};
  const json index = {{"schemaVersion", 2},
                      {"manifests", {add_blob(layout, manifest.dump(), "application/vnd.oci.image.manifest.v1+json")}}};
  must(sys::write_file_durably(layout / "index.json", index.dump()));
  must(sys::write_file_durably(layout / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
}

}  // namespace ingot::test
