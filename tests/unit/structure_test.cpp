#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "tests/support/source_directory.h"

// The order of the folders: each may include itself and those before it. The client stands outside of the daemon and
// may use only what is pure or small.
namespace ingot {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kOrder = {
    "proto",        "daemon/base",       "daemon/text",      "daemon/sys",      "daemon/db",
    "daemon/graph", "daemon/edge",       "daemon/sweep",     "daemon/schedule", "daemon/webhook",
    "daemon/shell", "daemon/dockerfile", "daemon/earthfile", "daemon/git",      "daemon/store",
    "daemon/image", "daemon/sandbox",    "daemon/solver",    "daemon/jobs",     "daemon/pipeline",
    "daemon/api",   "daemon/app"};
const std::set<std::string> kClientMayUse = {"client",       "proto",       "daemon/base",  "daemon/sys",
                                             "daemon/graph", "daemon/edge", "daemon/sweep", "daemon/earthfile"};

std::string folder_of(const std::string& path) {
  if (path.starts_with("daemon/")) return path.substr(0, path.find('/', 7));
  return path.substr(0, path.find('/'));
}

std::ptrdiff_t rank(const std::string& folder) {
  return std::find(kOrder.begin(), kOrder.end(), folder) - kOrder.begin();
}

template <typename Visit>
void for_each_include(Visit visit) {
  const fs::path top = test::source_directory();
  const std::regex include(R"re(^\s*#include\s+"([^"]+)")re");
  for (const char* root : {"proto", "daemon", "client"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top / root)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        std::smatch match;
        if (std::regex_search(line, match, include)) visit(fs::relative(entry.path(), top).string(), match[1].str());
      }
    }
  }
}

TEST(Structure, no_folder_includes_one_below_it) {
  for_each_include([](const std::string& file, const std::string& included) {
    const std::string from = folder_of(file);
    const std::string to = folder_of(included);
    if (from == "client") {
      EXPECT_TRUE(kClientMayUse.contains(to)) << file << " includes " << included;
      return;
    }
    ASSERT_NE(rank(to), static_cast<std::ptrdiff_t>(kOrder.size())) << file << " includes " << included;
    EXPECT_LE(rank(to), rank(from)) << file << " includes " << included;
  });
}

TEST(Structure, the_shell_folder_is_pure) {
  for_each_include([](const std::string& file, const std::string& included) {
    if (folder_of(file) != "daemon/shell") return;
    const std::string to = folder_of(included);
    EXPECT_TRUE(to == "daemon/shell" || to == "daemon/base") << file << " includes " << included;
  });
}

TEST(Structure, the_dockerfile_folder_is_pure) {
  for_each_include([](const std::string& file, const std::string& included) {
    if (folder_of(file) != "daemon/dockerfile") return;
    const std::string to = folder_of(included);
    EXPECT_TRUE(to == "daemon/dockerfile" || to == "daemon/text" || to == "daemon/base")
        << file << " includes " << included;
  });
}

TEST(Structure, asio_and_beast_stay_where_connections_are) {
  const fs::path top = test::source_directory();
  for (const auto& entry : fs::recursive_directory_iterator(top / "daemon")) {
    const std::string path = fs::relative(entry.path(), top).string();
    if (!entry.is_regular_file() || path.starts_with("daemon/api/") || path.starts_with("daemon/sys/")) continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      EXPECT_EQ(line.find("#include <boost/"), std::string::npos) << path << ": " << line;
    }
  }
}

TEST(Structure, the_top_level_is_as_agreed) {
  const std::set<std::string> agreed = {"CMakeLists.txt", "CMakePresets.json", "README.md", "client", "daemon",
                                        "edge-templates", "packaging",         "proto",     "tests",  "build"};
  for (const auto& entry : fs::directory_iterator(test::source_directory())) {
    const std::string name = entry.path().filename();
    EXPECT_TRUE(name.starts_with('.') || agreed.contains(name)) << name;
  }
}

}  // namespace
}  // namespace ingot
