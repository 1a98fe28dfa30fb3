#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "client/cli/command_table.h"
#include "proto/secrets.h"

namespace ingot::client {

struct GivenSecrets {
  proto::Secrets values;
  std::vector<std::string> warnings;
};

// Asks a person; empty: there is none to ask.
using Ask = std::function<Result<std::string>(const std::string& question)>;

// What --secret, --secret-file and the project's .secret give. An id that is given twice is an error.
Result<GivenSecrets> collect_secrets(const Invocation& invocation, const std::filesystem::path& project,
                                     const Ask& ask);

// The files of which it reads them. They are never sent with the project.
std::vector<std::filesystem::path> secret_files(const Invocation& invocation, const std::filesystem::path& project);

// Whoever lists this host's processes sees their command lines: takes the values out of ours.
void hide_secrets(const Invocation& invocation, int argc, char** argv);

}  // namespace ingot::client
