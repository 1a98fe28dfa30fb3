#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temp.h"

namespace ingot::test {

// A machine in QEMU, without KVM so that it runs wherever tests do. Its serial line is what a test reads and types.
class VirtualMachine {
 public:
  enum class Firmware { bios, uefi, secure_boot };
  struct Hardware {
    Firmware firmware = Firmware::bios;
    std::filesystem::path cd;     // an ISO in the CD drive
    std::filesystem::path stick;  // an ISO on a USB stick
    std::vector<std::filesystem::path> disks;
    int ssh_port = 0;  // of the host's loopback, where the machine's sshd answers; 0: none
  };

  explicit VirtualMachine(const Hardware& hardware);
  ~VirtualMachine();
  VirtualMachine(const VirtualMachine&) = delete;
  VirtualMachine& operator=(const VirtualMachine&) = delete;

  // Whether `text` comes on the serial line, behind what was waited for before.
  bool says(const std::string& text, std::chrono::seconds within);
  void type(const std::string& line);
  // Whether it powers itself off or restarts, which ends it.
  bool ends(std::chrono::seconds within);
  // What the serial line said last, for a message of a test that failed.
  std::string last_words() const;

 private:
  bool read_more(std::chrono::steady_clock::time_point until);

  TempDirectory directory_;
  pid_t pid_ = 0;
  int input_ = -1;
  int output_ = -1;
  std::string seen_;
  std::size_t looked_at_ = 0;
};

}  // namespace ingot::test
