#include "daemon/earthfile/builtins.h"

#include <functional>
#include <unordered_map>

namespace ingot::earthfile {

namespace {

#if defined(__aarch64__)
constexpr const char* kArchitecture = "arm64";
#elif defined(__x86_64__)
constexpr const char* kArchitecture = "amd64";
#else
#error "name this architecture as container images do"
#endif

using Value = std::function<std::string(const std::string& target)>;

std::unordered_map<std::string, Value> make_table() {
  auto constant = [](std::string text) { return [text = std::move(text)](const std::string&) { return text; }; };
  std::unordered_map<std::string, Value> table;
  for (const std::string who : {"TARGET", "USER", "NATIVE"}) {
    table[who + "PLATFORM"] = constant(native_platform());
    table[who + "OS"] = constant("linux");
    table[who + "ARCH"] = constant(kArchitecture);
    table[who + "VARIANT"] = constant("");
  }
  table["EARTHLY_TARGET"] = [](const std::string& target) { return target; };
  table["EARTHLY_TARGET_NAME"] = [](const std::string& target) { return target.substr(target.find('+') + 1); };
  // Of a project directory without a git remote these are empty.
  for (const char* name : {"EARTHLY_TARGET_PROJECT", "EARTHLY_TARGET_PROJECT_NO_TAG", "EARTHLY_TARGET_TAG",
                           "EARTHLY_TARGET_TAG_DOCKER", "EARTHLY_BUILD_SHA"}) {
    table[name] = constant("");
  }
  // The last release of the language that Ingot follows: recipes compare it.
  table["EARTHLY_VERSION"] = constant("v0.8.16");
  for (const char* name : {"EARTHLY_PUSH", "EARTHLY_CI", "EARTHLY_CI_RUNNER", "EARTHLY_LOCALLY"}) {
    table[name] = constant("false");
  }
  table["EARTHLY_SOURCE_DATE_EPOCH"] = constant("0");
  for (const char* name :
       {"HASH", "SHORT_HASH", "BRANCH", "TAG", "REFS", "ORIGIN_URL", "ORIGIN_URL_SCRUBBED", "PROJECT_NAME",
        "COMMIT_TIMESTAMP", "COMMIT_AUTHOR_TIMESTAMP", "AUTHOR", "AUTHOR_EMAIL", "AUTHOR_NAME", "CO_AUTHORS"}) {
    table[std::string("EARTHLY_GIT_") + name] = nullptr;
  }
  return table;
}

const std::unordered_map<std::string, Value>& table() {
  static const auto kTable = make_table();
  return kTable;
}

}  // namespace

std::string native_platform() {
  return std::string("linux/") + kArchitecture;
}

bool is_builtin(const std::string& name) {
  return table().contains(name);
}

std::optional<std::string> builtin_value(const std::string& name, const std::string& target) {
  auto found = table().find(name);
  if (found == table().end() || !found->second) return std::nullopt;
  return found->second(target);
}

}  // namespace ingot::earthfile
