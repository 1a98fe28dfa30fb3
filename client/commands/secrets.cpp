#include "client/commands/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "daemon/base/mask.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;

Status add(proto::Secrets& secrets, const std::string& id, std::string value) {
  if (secrets.emplace(id, std::move(value)).second) return {};
  return fail(ErrorKind::usage, fmt::format("the secret {} is given twice", base::printable(id)),
              "one of --secret, --secret-file and .secret is enough");
}

fs::path dotenv_file(const Invocation& invocation, const fs::path& project) {
  return invocation.value("--secret-file-path", project / ".secret");
}

Status read_dotenv(const Invocation& invocation, const fs::path& project, proto::Secrets& secrets) {
  const bool named = invocation.has("--secret-file-path");
  const fs::path file = dotenv_file(invocation, project);
  auto text = sys::read_file(file, 1U << 20);
  if (!text && text.error().kind == ErrorKind::not_found && !named) return {};
  if (!text) return fail(text.error());
  auto values = earthfile::parse_dotenv(*text, named ? file.string() : ".secret");
  if (!values) {
    Error error = values.error();
    if (error.position) error.position->source_line.clear();  // it may be the secret
    return fail(std::move(error));
  }
  for (auto& [id, value] : *values) INGOT_CHECK(add(secrets, id, std::move(value)));
  return {};
}

// NAME=VALUE, or NAME alone: the environment's, else what a person says.
Result<std::string> value_of(const std::string& given, const Ask& ask) {
  const std::size_t equals = given.find('=');
  if (equals != std::string::npos) return given.substr(equals + 1);
  if (const char* value = std::getenv(given.c_str())) return std::string(value);
  if (ask) return ask(fmt::format("{}: ", base::printable(given)));
  return fail(ErrorKind::usage, fmt::format("--secret {0}: the environment has no {0}", base::printable(given)),
              "write NAME=VALUE, set the variable, or name a file with --secret-file NAME=FILE");
}

std::pair<std::string, std::string> split_pair(const std::string& text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  return {text.substr(0, equals), equals < text.size() ? text.substr(equals + 1) : ""};
}

}  // namespace

Result<GivenSecrets> collect_secrets(const Invocation& invocation, const fs::path& project, const Ask& ask) {
  GivenSecrets given;
  INGOT_CHECK(read_dotenv(invocation, project, given.values));
  for (const auto& text : invocation.values("--secret-file")) {
    const auto [id, file] = split_pair(text);
    if (id.empty() || file.empty()) {
      return fail(ErrorKind::usage, "--secret-file takes NAME=FILE, not \"" + base::printable(text) + "\"");
    }
    INGOT_TRY(auto value, sys::read_file(file, proto::kLongestSecret));
    INGOT_CHECK(add(given.values, id, std::move(value)));
  }
  for (const auto& text : invocation.values("--secret")) {
    INGOT_TRY(auto value, value_of(text, ask));
    INGOT_CHECK(add(given.values, split_pair(text).first, std::move(value)));
  }
  INGOT_CHECK(proto::check(given.values));
  for (const auto& [id, value] : given.values) {
    if (base::Mask::hides(value)) continue;
    given.warnings.push_back(fmt::format("the secret {} is shorter than {} bytes: it is not hidden in logs",
                                         base::printable(id), base::Mask::kShortest));
  }
  return given;
}

std::vector<fs::path> secret_files(const Invocation& invocation, const fs::path& project) {
  std::vector<fs::path> files{dotenv_file(invocation, project)};
  for (const auto& text : invocation.values("--secret-file")) files.emplace_back(split_pair(text).second);
  return files;
}

void hide_secrets(const Invocation& invocation, int argc, char** argv) {
  for (const auto& given : invocation.values("--secret")) {
    const std::string value = split_pair(given).second;
    if (value.empty()) continue;
    for (int i = 1; i < argc; ++i) {
      const std::size_t size = std::strlen(argv[i]);
      if (std::string_view(argv[i]).ends_with(given)) std::memset(argv[i] + size - value.size(), '*', value.size());
    }
  }
}

}  // namespace ingot::client
