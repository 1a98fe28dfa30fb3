#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/templates/templates.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

// init.
namespace ingot::client {

namespace {

namespace fs = std::filesystem;

struct System {
  std::string_view name;
  std::string_view version;  // that a new project begins with
};

constexpr std::array<System, 5> kSystems = {
    {{"debian", "12"}, {"ubuntu", "22.04"}, {"opensuse-leap", "15.6"}, {"rhel", "9"}, {"sles", "5.4"}}};

// Where users put their own; the template has no files for them.
constexpr std::array<std::string_view, 3> kDirectories = {"certs", "overlay/files/etc", "overlay/files-iso"};

Result<System> chosen_system(const Invocation& invocation) {
  const std::string wanted = invocation.value("--os", std::string(kSystems.front().name));
  std::vector<std::string> known;
  for (const auto& system : kSystems) {
    if (system.name == wanted) return system;
    known.emplace_back(system.name);
  }
  std::string hint = base::did_you_mean(wanted, known);
  return base::fail(ErrorKind::usage, "--os " + wanted + " is not known",
                    hint.empty() ? "known: " + base::join(known, ", ") : hint);
}

// `text` with the value of `NAME=` on a line of its own replaced.
void set_value(std::string& text, const std::string& name, std::string_view value) {
  const std::size_t line = text.find("\n" + name + "=");
  if (line == std::string::npos) return;
  const std::size_t begin = line + name.size() + 2;
  text.replace(begin, text.find('\n', begin) - begin, value);
}

std::string content_for(const TemplateFile& file, const System& system) {
  std::string content(file.content);
  if (file.path == ".arg.template") {
    set_value(content, "OS_DISTRIBUTION", system.name);
    set_value(content, "OS_VERSION", system.version);
    set_value(content, "IMAGE_REPO", system.name);
  }
  return content;
}

// Nothing of the user's is written over, and nothing is written where something would be.
Status refuse_what_is_there(const fs::path& directory) {
  std::vector<std::string> there;
  for (const auto& file : project_template()) {
    std::error_code error;
    if (fs::symlink_status(directory / file.path, error).type() != fs::file_type::not_found)
      there.emplace_back(file.path);
  }
  if (there.empty()) return {};
  constexpr std::size_t kShown = 5;
  const std::size_t more = there.size() > kShown ? there.size() - kShown : 0;
  there.resize(there.size() - more);
  return base::fail(ErrorKind::conflict,
                    fmt::format("{} has {}{} already", directory.string(), base::join(there, ", "),
                                more > 0 ? fmt::format(" and {} more", more) : ""),
                    "name a directory that is new: ingot init DIR");
}

Status write_files(const fs::path& directory, const System& system, std::vector<fs::path>& written) {
  for (const auto& file : project_template()) {
    INGOT_CHECK(write_template_file(directory, file, content_for(file, system)));
    written.push_back(directory / file.path);
  }
  for (const auto& name : kDirectories) INGOT_CHECK(sys::make_directories(directory / name));
  return {};
}

// All of it or nothing: half a project is none.
Status write_project(const fs::path& directory, const System& system) {
  std::vector<fs::path> written;
  auto outcome = write_files(directory, system, written);
  std::error_code ignored;
  if (!outcome) {
    for (const auto& path : written) {
      fs::remove(path, ignored);
      // Directories that it made are empty now; others have something in them, and stay.
      for (fs::path above = path.parent_path(); above != directory && rmdir(above.c_str()) == 0;) {
        above = above.parent_path();
      }
    }
  }
  return outcome;
}

}  // namespace

Result<int> run_init(const Invocation& invocation) {
  if (invocation.words.size() > 1) return base::fail(ErrorKind::usage, "init takes one directory");
  INGOT_TRY(const auto system, chosen_system(invocation));
  fs::path directory = project_directory(invocation);
  if (!invocation.words.empty()) directory /= invocation.words.front();
  INGOT_CHECK(refuse_what_is_there(directory));
  INGOT_CHECK(write_project(directory, system));
  if (wants_json(invocation)) {
    print_json({{"directory", directory.string()}, {"os", system.name}});
  } else if (!is_quiet(invocation)) {
    fmt::print(
        "{}: a project for {} {}. Next:\n\n    cd {}\n    cp .arg.template .arg && cp user-data.template user-data"
        "    # and edit both\n    ingot build +iso\n",
        visible(directory.string()), system.name, system.version, visible(directory.string()));
  }
  return 0;
}

}  // namespace ingot::client
