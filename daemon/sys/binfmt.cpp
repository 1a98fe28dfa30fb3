#include "daemon/sys/binfmt.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/personality.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "daemon/base/strings.h"

namespace ingot::sys {

namespace {

using base::fail;

struct Machine {
  const char* architecture;
  bool is_64_bit;
  bool is_big_endian;
  unsigned machine;  // EM_..., as in the header of its programs
};

constexpr std::array<Machine, 13> kMachines = {{{"386", false, false, 3},
                                                {"amd64", true, false, 62},
                                                {"arm", false, false, 40},
                                                {"arm64", true, false, 183},
                                                {"loong64", true, false, 258},
                                                {"mips", false, true, 8},
                                                {"mipsle", false, false, 8},
                                                {"mips64", true, true, 8},
                                                {"mips64le", true, false, 8},
                                                {"ppc64", true, true, 21},
                                                {"ppc64le", true, false, 21},
                                                {"riscv64", true, false, 243},
                                                {"s390x", true, true, 22}}};

const Machine* find_machine(const std::string& architecture) {
  const auto found = std::find_if(kMachines.begin(), kMachines.end(),
                                  [&](const Machine& machine) { return architecture == machine.architecture; });
  return found == kMachines.end() ? nullptr : &*found;
}

// The beginning of a program as the kernel holds it against a handler's magic; the kernel reads no more than this.
std::string program_of(const Machine& machine, unsigned type) {
  constexpr std::size_t kRead = 256;
  std::string header = {'\x7f', 'E', 'L', 'F', machine.is_64_bit ? '\2' : '\1', machine.is_big_endian ? '\2' : '\1', 1};
  header.resize(16, '\0');
  for (const unsigned number : {type, machine.machine}) {
    const char low = static_cast<char>(number & 0xffU);
    const char high = static_cast<char>(number >> 8U);
    header += machine.is_big_endian ? high : low;
    header += machine.is_big_endian ? low : high;
  }
  header += machine.is_big_endian ? std::string({0, 0, 0, 1}) : std::string({1, 0, 0, 0});
  header.resize(kRead, '\0');
  return header;
}

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    bytes += static_cast<char>(value);
  }
  return bytes;
}

// One file of the directory, as the kernel prints it.
struct Handler {
  bool enabled = false;
  bool is_by_magic = false;
  std::string interpreter;
  std::string flags;
  std::size_t offset = 0;
  std::string magic;
  std::string mask;

  bool brings_its_interpreter() const { return flags.find('F') != std::string::npos; }

  bool is_for(const Machine& machine) const {
    constexpr unsigned kExecutable = 2;
    constexpr unsigned kPositionIndependent = 3;
    return is_by_magic && (takes(program_of(machine, kExecutable)) || takes(program_of(machine, kPositionIndependent)));
  }

 private:
  bool takes(const std::string& program) const {
    if (magic.empty() || offset + magic.size() > program.size()) return false;
    for (std::size_t i = 0; i < magic.size(); ++i) {
      const char relevant = i < mask.size() ? mask[i] : '\xff';
      if (((program[offset + i] ^ magic[i]) & relevant) != 0) return false;
    }
    return true;
  }
};

Handler read_handler(const std::string& text) {
  Handler handler;
  for (const auto& line : base::split(text, '\n')) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string key = line.substr(0, space);
    const std::string value(base::trim(line.substr(space)));
    if (key == "enabled") handler.enabled = true;
    if (key == "interpreter") handler.interpreter = value;
    if (key == "flags:") handler.flags = value;
    if (key == "offset") std::from_chars(value.data(), value.data() + value.size(), handler.offset);
    if (key == "magic") handler.magic = from_hex(value);
    if (key == "mask") handler.mask = from_hex(value);
    handler.is_by_magic = handler.is_by_magic || key == "magic";
  }
  return handler;
}

struct Named {
  std::string name;
  Handler handler;
};

std::vector<Named> handlers_in(const fs::path& directory) {
  std::vector<Named> all;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (name == "register" || name == "status") continue;
    if (auto text = read_file(at->path())) all.push_back({name, read_handler(*text)});
  }
  std::sort(all.begin(), all.end(), [](const Named& a, const Named& b) { return a.name < b.name; });
  return all;
}

// Processors that have it run 32-bit programs beside their own; those of arm64 do not all have it.
bool runs_by_itself(const base::Platform& platform) {
  const std::string& native = base::native_platform().architecture;
  if (platform.architecture == native) return true;
  if (native == "amd64" && platform.architecture == "386") return true;
  if (native != "arm64" || platform.architecture != "arm") return false;
  const int before = personality(0xffffffff);
  const bool has = before >= 0 && personality(PER_LINUX32) >= 0;
  if (before >= 0) personality(static_cast<unsigned long>(before));
  return has;
}

std::string how_to_get(const Machine& machine) {
  return fmt::format(
      "on this host install the package qemu-user-static, or run: docker run --privileged --rm tonistiigi/binfmt "
      "--install {}",
      machine.architecture);
}

}  // namespace

// A host that nobody has mounted it on has handlers all the same.
bool Binfmt::is_there() const {
  std::error_code error;
  if (fs::exists(directory_ / "status", error)) return true;
  if (directory_ != kDirectory) return false;
  return ::mount("binfmt_misc", kDirectory, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0;
}

Result<std::string> Binfmt::interpreter_for(const base::Platform& platform) const {
  if (platform.os == "linux" && runs_by_itself(platform)) return std::string();
  const std::string what = "this host cannot run programs for " + platform.text();
  const Machine* machine = find_machine(platform.architecture);
  if (platform.os != "linux" || machine == nullptr) return fail(ErrorKind::unsupported, what);
  if (!is_there()) {
    return fail(ErrorKind::unsupported, what + ": its kernel has no binfmt_misc, or does not let the daemon see it",
                "load it by `modprobe binfmt_misc`, then " + how_to_get(*machine));
  }
  auto handlers = handlers_in(directory_);
  std::erase_if(handlers, [&](const Named& one) { return !one.handler.is_for(*machine); });
  if (handlers.empty()) {
    return fail(ErrorKind::unsupported, what + ": no handler of binfmt_misc is for them", how_to_get(*machine));
  }
  const auto status = read_file(directory_ / "status");
  if (status && base::trim(*status) == "disabled") {
    return fail(ErrorKind::unsupported, what + ": binfmt_misc is turned off",
                "turn it on: echo 1 > " + (directory_ / "status").string());
  }
  const Named* best = nullptr;
  for (const auto& one : handlers) {
    if (!one.handler.enabled) continue;
    if (best == nullptr || (one.handler.brings_its_interpreter() && !best->handler.brings_its_interpreter())) {
      best = &one;
    }
  }
  if (best == nullptr) {
    return fail(ErrorKind::unsupported, what + ": its handler " + handlers.front().name + " is turned off",
                "turn it on: echo 1 > " + (directory_ / handlers.front().name).string());
  }
  return best->handler.brings_its_interpreter() ? "" : best->handler.interpreter;
}

std::vector<std::string> Binfmt::foreign_platforms() const {
  std::vector<std::string> found;
  for (const auto& machine : kMachines) {
    const auto platform = base::normalized({"linux", machine.architecture});
    if (platform == base::native_platform()) continue;
    const auto interpreter = interpreter_for(platform);
    if (interpreter && interpreter->empty()) found.push_back(platform.text());
  }
  return found;
}

}  // namespace ingot::sys
