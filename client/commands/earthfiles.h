#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "client/cli/command_table.h"
#include "daemon/earthfile/earthfile.h"

// What the commands that only read Earthfiles share. None of them needs a daemon.
namespace ingot::client {

// The Earthfile that a word names: a file, or a directory that has one. No word: the project's own.
std::filesystem::path earthfile_path(const Invocation& invocation, const std::string& word = {});
// Those of all words.
std::vector<std::filesystem::path> earthfile_paths(const Invocation& invocation);

Result<std::string> read_earthfile(const std::filesystem::path& path);
// With all errors, or the one of reading it.
tl::expected<earthfile::File, std::vector<Error>> parse_earthfile(const std::filesystem::path& path);

// Prints them as main() prints the one that ends the program; returns the first one's exit code.
int report_all(const std::vector<Error>& errors);

// "[DIR][+target]"; DIR is "" where there is none.
struct DirectoryAndTarget {
  std::string directory;
  std::string target;  // without "+"
};
DirectoryAndTarget split_reference(const std::string& word);

}  // namespace ingot::client
