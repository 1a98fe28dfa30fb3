#include "tests/support/temp.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ingot::test {

namespace {

sys::TempDir make() {
  auto made = sys::TempDir::create(std::filesystem::temp_directory_path(), "ingot-test-");
  if (!made) throw std::runtime_error(proto::render(made.error()));
  return std::move(*made);
}

}  // namespace

TempDirectory::TempDirectory() : directory_(make()) {}

std::filesystem::path TempDirectory::file(const std::string& name, const std::string& text) const {
  auto path = directory_.path() / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
  return path;
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace ingot::test
