#include "tests/support/copied_program.h"

#include <sstream>
#include <stdexcept>

#include "tests/support/test_daemon.h"

namespace ingot::test {

namespace fs = std::filesystem;

void copy_program(const std::string& name, const fs::path& root) {
  const auto add = [](const fs::path& file, const fs::path& to) {
    fs::create_directories(to.parent_path());
    fs::copy_file(fs::canonical(file), to, fs::copy_options::skip_existing);
  };
  const std::string found = run_program({"/bin/sh", "-c", "command -v " + name}).out;
  const std::string path = found.substr(0, found.find('\n'));
  if (path.empty()) throw std::runtime_error(name + " is not installed");
  add(path, root / "bin" / name);
  std::istringstream lines(run_program({"ldd", path}).out);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find('/');
    if (begin == std::string::npos) continue;
    const fs::path library = line.substr(begin, line.find(' ', begin) - begin);
    add(library, root / library.relative_path());
  }
}

}  // namespace ingot::test
