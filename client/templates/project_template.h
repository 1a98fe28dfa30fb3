#pragma once

#include <string_view>
#include <vector>

// The project that `ingot init` writes: edge-templates/project, built into the client so that it needs no file of its
// own.
namespace ingot::client {

struct TemplateFile {
  std::string_view path;  // below the project directory
  std::string_view content;

  // Programs are known by their first line: nothing else in the template is one.
  bool is_program() const { return content.starts_with("#!"); }
};

const std::vector<TemplateFile>& project_template();

}  // namespace ingot::client
