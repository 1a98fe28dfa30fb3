#include "client/commands/earthfiles.h"

#include "client/commands/common.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace fs = std::filesystem;

fs::path earthfile_path(const Invocation& invocation, const std::string& word) {
  const fs::path project = project_directory(invocation);
  const fs::path named = word.empty() ? project : project == "." ? fs::path(word) : project / word;
  std::error_code ignored;
  const fs::path path = fs::is_directory(named, ignored) ? named / "Earthfile" : named;
  return path == "./Earthfile" ? "Earthfile" : path;
}

std::vector<fs::path> earthfile_paths(const Invocation& invocation) {
  std::vector<fs::path> paths;
  for (const auto& word : invocation.words) paths.push_back(earthfile_path(invocation, word));
  if (paths.empty()) paths.push_back(earthfile_path(invocation));
  return paths;
}

Result<std::string> read_earthfile(const fs::path& path) {
  constexpr std::uint64_t kLargest = 64U << 20;
  auto text = sys::read_file(path, kLargest);
  if (text || text.error().kind != ErrorKind::not_found) return text;
  return base::fail(ErrorKind::not_found, "there is no " + base::printable(path.string()),
                    "name the file, or the directory that has an Earthfile");
}

tl::expected<earthfile::File, std::vector<Error>> parse_earthfile(const fs::path& path) {
  auto text = read_earthfile(path);
  if (!text) return tl::unexpected(std::vector<Error>{text.error()});
  return earthfile::parse(*text, path.string());
}

int report_all(const std::vector<Error>& errors) {
  int code = 0;
  for (const auto& error : errors) {
    const int own = report(error);
    if (code == 0) code = own;
  }
  return code;
}

DirectoryAndTarget split_reference(const std::string& word) {
  const std::size_t plus = word.find('+');
  if (plus == std::string::npos) return {word, ""};
  return {word.substr(0, plus), word.substr(plus + 1)};
}

}  // namespace ingot::client
