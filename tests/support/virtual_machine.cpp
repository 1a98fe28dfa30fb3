#include "tests/support/virtual_machine.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace ingot::test {

namespace fs = std::filesystem;

namespace {

const fs::path kFirmware = "/usr/share/OVMF";

void add(std::vector<std::string>& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

// UEFI's code, and variables of the machine's own: with Secure Boot those that have its keys enrolled.
void add_firmware(std::vector<std::string>& words, VirtualMachine::Firmware firmware, const fs::path& variables) {
  if (firmware == VirtualMachine::Firmware::bios) return;
  const bool secure = firmware == VirtualMachine::Firmware::secure_boot;
  fs::copy_file(kFirmware / (secure ? "OVMF_VARS_4M.ms.fd" : "OVMF_VARS_4M.fd"), variables);
  const std::string code = kFirmware / (secure ? "OVMF_CODE_4M.secboot.fd" : "OVMF_CODE_4M.fd");
  if (secure) add(words, {"-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"});
  add(words, {"-drive", "if=pflash,format=raw,readonly=on,file=" + code});
  add(words, {"-drive", "if=pflash,format=raw,file=" + variables.string()});
}

std::vector<std::string> command_line(const VirtualMachine::Hardware& hardware, const fs::path& variables) {
  std::vector<std::string> words = {"qemu-system-x86_64", "-accel", "tcg",     "-m",    "2048",      "-display", "none",
                                    "-monitor",           "none",   "-serial", "stdio", "-no-reboot"};
  add_firmware(words, hardware.firmware, variables);
  if (!hardware.cd.empty()) {
    add(words, {"-drive", "if=none,id=cd,media=cdrom,readonly=on,format=raw,file=" + hardware.cd.string(), "-device",
                "ide-cd,drive=cd,bootindex=0"});
  }
  if (!hardware.stick.empty()) {
    add(words, {"-drive", "if=none,id=stick,format=raw,readonly=on,file=" + hardware.stick.string(), "-device",
                "qemu-xhci", "-device", "usb-storage,drive=stick,bootindex=0"});
  }
  for (const auto& disk : hardware.disks) add(words, {"-drive", "if=virtio,format=raw,file=" + disk.string()});
  std::string network = "user,model=virtio-net-pci";
  if (hardware.ssh_port != 0) network += ",hostfwd=tcp:127.0.0.1:" + std::to_string(hardware.ssh_port) + "-:22";
  add(words, {"-nic", network});
  return words;
}

}  // namespace

VirtualMachine::VirtualMachine(const Hardware& hardware) {
  auto words = command_line(hardware, directory_.path() / "variables");
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (pipe2(to.data(), O_CLOEXEC) != 0 || pipe2(from.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = fork();
  if (pid_ == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    dup2(from[1], STDERR_FILENO);
    execvp(argv.front(), argv.data());
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  input_ = to[1];
  output_ = from[0];
}

VirtualMachine::~VirtualMachine() {
  close(input_);
  close(output_);
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool VirtualMachine::read_more(std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  pollfd ready{output_, POLLIN, 0};
  if (poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
  std::array<char, 4096> buffer{};
  const ssize_t got = read(output_, buffer.data(), buffer.size());
  if (got <= 0) return false;
  seen_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

bool VirtualMachine::says(const std::string& text, std::chrono::seconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  do {
    const std::size_t found = seen_.find(text, looked_at_);
    if (found != std::string::npos) {
      looked_at_ = found + text.size();
      return true;
    }
  } while (read_more(until));
  return false;
}

void VirtualMachine::type(const std::string& line) {
  const std::string keys = line + "\n";
  (void)!write(input_, keys.data(), keys.size());
}

bool VirtualMachine::ends(std::chrono::seconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (read_more(until)) {
  }
  // Its output ends a moment before it does.
  for (int i = 0; i < 100; ++i) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = 0;
      return true;
    }
    usleep(50'000);
  }
  return false;
}

std::string VirtualMachine::last_words() const {
  constexpr std::size_t kShown = 3000;
  return seen_.substr(seen_.size() > kShown ? seen_.size() - kShown : 0);
}

}  // namespace ingot::test
