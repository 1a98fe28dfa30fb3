#pragma once

#include <string>
#include <vector>

#include "client/cli/command_table.h"
#include "proto/types.h"

namespace ingot::client {

// How an ISO is started in a virtual machine.
struct BootTest {
  std::string firmware = "uefi";  // bios, uefi, secure-boot or setup-mode
  std::string medium = "cd";      // or usb
  bool install = false;           // to a blank disk, which is started then
};

// "usb,install" as in --boot-test=usb,install; empty: as it stands above.
Result<BootTest> read_boot_test(const std::string& words);

// Starts the ISO among a job's artifacts, in a job of its own that is followed; its report is put into
// build/boot-test/ of the project. The exit code is that job's.
Result<int> boot_test_job(const Invocation& invocation, Daemon& daemon, const BootTest& how, const proto::Job& job,
                          const std::vector<proto::Artifact>& artifacts);

}  // namespace ingot::client
