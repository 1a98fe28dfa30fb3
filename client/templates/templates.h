#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"

// Projects of edge-templates/, built into the client so that it needs no file of its own.
namespace ingot::client {

struct TemplateFile {
  std::string_view path;  // below the project directory
  std::string_view content;

  // Programs are known by their first line: nothing else in a template is one.
  bool is_program() const { return content.starts_with("#!"); }
};

const std::vector<TemplateFile>& project_template();    // what `ingot init` writes
const std::vector<TemplateFile>& boot_test_template();  // starts system.iso in a virtual machine

// Puts a file below `directory`, with another content than the template's.
Status write_template_file(const std::filesystem::path& directory, const TemplateFile& file, std::string_view content);

}  // namespace ingot::client
