#include "tests/conformance/case_runner.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"
#include "tests/support/temp.h"

namespace ingot::conformance {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string quoted(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += "    " + line + "\n";
  return lines.empty() ? "    nothing\n" : text;
}

// Each of these stands in a line of the text, in this order.
bool has_lines(const std::string& text, const std::vector<std::string>& wanted) {
  const auto lines = base::split(text, '\n');
  auto at = lines.begin();
  for (const auto& one : wanted) {
    at = std::find_if(at, lines.end(), [&](const auto& line) { return line.find(one) != std::string::npos; });
    if (at == lines.end()) return false;
    ++at;
  }
  return true;
}

// VERSION's last word.
std::string with_version(const std::string& earthfile, const std::string& version) {
  const std::size_t end = std::min(earthfile.find('\n'), earthfile.size());
  const std::size_t space = earthfile.rfind(' ', end);
  return space == std::string::npos ? earthfile : earthfile.substr(0, space + 1) + version + earthfile.substr(end);
}

// One version of one case.
class Run {
 public:
  Run(const Case& one, const std::string& version, Builder& builder)
      : case_(one), version_(version), builder_(builder) {}

  std::vector<std::string> problems() {
    if (!prepare()) return std::move(problems_);
    const auto result = builder_.shell(case_.command);
    log_ = result.out + result.err;
    compare(result.code);
    // A case that went wrong says enough; its twin's end would say nothing.
    if (!case_.fails && problems_.empty()) run_twin();
    return std::move(problems_);
  }

 private:
  void problem(const std::string& what) {
    problems_.push_back(what + (version_.empty() ? "" : " (VERSION " + version_ + ")"));
  }

  bool prepare() {
    const fs::path project = builder_.project();
    for (const auto& entry : fs::directory_iterator(project)) fs::remove_all(entry.path());
    if (!case_.earthfile.empty()) {
      write(project / "Earthfile", version_.empty() ? case_.earthfile : with_version(case_.earthfile, version_));
    }
    for (const auto& file : case_.files) {
      write(project / file.path, file.text);
      if (file.is_executable) fs::permissions(project / file.path, static_cast<fs::perms>(0755));
    }
    if (case_.before.empty()) return true;
    const auto before = builder_.shell("set -e\n" + case_.before);
    if (before.code != 0) problem("what comes before it failed: " + before.out + before.err);
    return before.code == 0;
  }

  void compare(int code) {
    if (!case_.fails && code != 0) return problem("it failed, with " + std::to_string(code) + ":\n" + log_);
    if (case_.fails && code == 0) return problem("it succeeded:\n" + log_);
    for (const auto& lines : case_.shown) {
      if (!has_lines(log_, lines)) problem("this is not shown:\n" + quoted(lines) + "but this is:\n" + log_);
    }
    if (case_.printed) compare_printed();
    for (const auto& file : case_.saved) compare_saved(file);
    for (const auto& [name, lines] : case_.images) compare_image(name, lines);
    if (case_.check.empty()) return;
    const auto checked = builder_.shell("set -e\n" + case_.check);
    if (checked.code != 0) problem("the check failed: " + checked.out + checked.err + "after:\n" + log_);
  }

  void compare_printed() {
    auto wanted = *case_.printed;
    auto printed = printed_lines(log_);
    if (case_.in_any_order) {
      std::sort(wanted.begin(), wanted.end());
      std::sort(printed.begin(), printed.end());
    }
    if (printed == wanted) return;
    problem("it printed:\n" + quoted(printed) + "and should have printed:\n" + quoted(wanted) + "log:\n" + log_);
  }

  void compare_saved(const CaseFile& file) {
    const fs::path path = builder_.project() / file.path;
    if (!fs::is_regular_file(path)) return problem(file.path + " is not there, or no file:\n" + log_);
    const std::string text = test::slurp(path);
    if (text != file.text) problem(file.path + " has \"" + text + "\", and should have \"" + file.text + "\"");
  }

  // "Key JSON" lines against the image's configuration; "layers N" is how many it has.
  void compare_image(const std::string& name, const std::vector<std::string>& lines) {
    const test::TempDirectory scratch;
    const std::string archive = (scratch / "image.tar").string();
    const auto saved = builder_.shell("ingot image save '" + name + "' -o " + archive + " && tar -xf " + archive +
                                      " -C " + scratch.path().string());
    if (saved.code != 0) return problem("no image " + name + ": " + saved.out + saved.err);
    auto read = [&](const fs::path& path) { return json::parse(test::slurp(path), nullptr, false); };
    const json index = read(scratch / "index.json");
    if (!index.contains("manifests")) return problem("the archive of " + name + " has no manifest");
    auto blob = [&](const json& descriptor) {
      return read(scratch / ("blobs/sha256/" + descriptor["digest"].get<std::string>().substr(7)));
    };
    const json manifest = blob(index["manifests"][0]);
    const json config = blob(manifest["config"])["config"];
    for (const auto& line : lines) {
      const std::size_t space = std::min(line.find(' '), line.size());
      const std::string key = line.substr(0, space);
      const json wanted = json::parse(line.substr(space), nullptr, false);
      const json found = key == "layers" ? json(manifest["layers"].size()) : config.value(key, json());
      if (found != wanted) problem("the image " + name + " has " + key + " " + found.dump() + ", not " + wanted.dump());
    }
  }

  // The same with a step that fails at its end: it must fail, for that reason, and leave nothing.
  void run_twin() {
    if (!prepare()) return;
    const fs::path file = builder_.project() / "Earthfile";
    const std::string plain = test::slurp(file);
    const std::string twin = with_commands(plain, case_.target, case_.twin_commands);
    if (twin == plain) return problem("there is no target \"" + case_.target + "\" for the failing step");
    write(file, twin);
    std::vector<std::string> absent;
    for (const auto& saved : case_.saved) {
      if (!fs::exists(builder_.project() / saved.path)) absent.push_back(saved.path);
    }
    std::string command = case_.command;
    if (!case_.is_cached) command.replace(command.find(" --no-cache"), std::string(" --no-cache").size(), "");
    const auto result = builder_.shell(command);
    const std::string log = result.out + result.err;
    if (result.code == 0) return problem("its twin, whose last step fails, succeeded:\n" + log);
    if (!has_lines(log, {case_.twin_text})) {
      problem("its twin failed without \"" + case_.twin_text + "\":\n" + log);
    }
    for (const auto& path : absent) {
      if (fs::exists(builder_.project() / path)) problem("its twin failed, and saved " + path);
    }
  }

  const Case& case_;
  const std::string version_;
  Builder& builder_;
  std::string log_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> printed_lines(const std::string& log) {
  constexpr std::string_view kBar = " | ";
  std::vector<std::string> printed;
  std::map<std::string, bool> runs;  // by target: whether its last step was a RUN
  for (const auto& line : base::split(log, '\n')) {
    if (line.starts_with("The output of the step that failed")) break;
    const std::size_t bar = line.find(kBar);
    if (bar == std::string::npos) continue;
    const std::string target(base::trim(line.substr(0, bar)));
    const std::string text = line.substr(bar + kBar.size());
    if (target.find('+') == std::string::npos) continue;
    if (text.starts_with("*cached* --> ")) continue;  // prints nothing, and may come between a RUN and its output
    if (text.starts_with("--> ")) {
      runs[target] = text.substr(4).starts_with("RUN");
    } else if (runs[target]) {
      printed.push_back(text);
    }
  }
  return printed;
}

std::vector<std::string> problems_of(const Case& one, Builder& builder) {
  std::vector<std::string> problems;
  const auto versions = one.versions.empty() ? std::vector<std::string>{""} : one.versions;
  for (const auto& version : versions) {
    for (auto& problem : Run(one, version, builder).problems()) problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace ingot::conformance
