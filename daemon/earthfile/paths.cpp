#include "daemon/earthfile/paths.h"

#include <filesystem>

namespace ingot::earthfile {

std::string absolute(const std::string& directory, const std::string& path) {
  const std::string joined = path.starts_with('/') ? path : directory + "/" + path;
  std::string normal = std::filesystem::path("/" + joined).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  while (normal.starts_with("//")) normal.erase(0, 1);
  return normal;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool means_directory(std::string_view path) {
  return path.empty() || path == "." || path == ".." || path.ends_with('/') || path.ends_with("/.") ||
         path.ends_with("/..");
}

bool leaves_project(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return !normal.empty() && *normal.begin() == "..";
}

}  // namespace ingot::earthfile
