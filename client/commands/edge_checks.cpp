#include "client/commands/edge_checks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "client/commands/common.h"
#include "client/render/text.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/edge/check_custom_config.h"
#include "daemon/edge/check_parameters.h"
#include "daemon/edge/check_user_data.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;

// With the lines of `.arg` where its value was not given again elsewhere.
edge::Parameters with_lines(const fs::path& arg_file, const std::map<std::string, std::string>& args) {
  edge::Parameters parameters;
  for (const auto& [name, value] : args) parameters[name].value = value;
  const auto text = sys::read_file(arg_file, 1U << 20U);
  if (!text) return parameters;
  const auto entries = earthfile::parse_dotenv_entries(*text, arg_file.filename().string());
  if (!entries) return parameters;
  for (const auto& entry : *entries) {
    const auto found = parameters.find(entry.name);
    if (found != parameters.end() && found->second.value == entry.value) found->second.position = entry.position;
  }
  return parameters;
}

// Whether the target's ISO has user-data in it.
bool takes_user_data(const std::string& target) {
  return !target.starts_with("+provider-image") && !target.starts_with("+build-provider-images") &&
         target != "+base-image";
}

bool makes_iso(const std::string& target) {
  return target == "+iso" || target == "+build-all-images";
}

bool makes_provider_images(const std::string& target) {
  return target == "+provider-image" || target == "+build-provider-images" || target == "+build-all-images" ||
         target == "+kubernetes";
}

void append(edge::Findings& all, edge::Findings more) {
  std::move(more.errors.begin(), more.errors.end(), std::back_inserter(all.errors));
  std::move(more.warnings.begin(), more.warnings.end(), std::back_inserter(all.warnings));
}

}  // namespace

Result<edge::Findings> check_edge_project(const EdgeRequest& request) {
  edge::Surroundings surroundings;
  surroundings.declared = request.declared;
  if (!edge::is_edge_project(surroundings.declared)) return edge::Findings{};
  surroundings.has_file = [&](const std::string& path) { return access((request.project / path).c_str(), F_OK) == 0; };
  surroundings.makes_provider_images = makes_provider_images(request.target);
  constexpr std::uint64_t kLargest = 16U << 20U;
  if (const auto text = sys::read_file(request.project / "k8s_version.json", kLargest)) {
    INGOT_TRY(surroundings.versions, edge::parse_kubernetes_versions(*text, "k8s_version.json"));
  }
  const auto parameters = with_lines(request.arg_file, request.args);
  edge::Findings findings = edge::check_parameters(parameters, surroundings);
  const auto custom = parameters.find("EDGE_CUSTOM_CONFIG");
  const std::string config = custom == parameters.end() ? ".edge-custom-config.yaml" : custom->second.value;
  if (const auto text = sys::read_file(request.project / config, kLargest); text && !config.empty()) {
    append(findings, edge::check_custom_config(*text, config));
  }
  if (!takes_user_data(request.target)) return findings;
  const auto user_data = sys::read_file(request.project / "user-data", kLargest);
  if (user_data) {
    append(findings, edge::check_user_data(*user_data, "user-data"));
  } else if (makes_iso(request.target)) {
    Error missing;
    missing.kind = ErrorKind::not_found;
    missing.message = "there is no user-data: the ISO installs a system that nobody can log in to";
    missing.hint = "begin with user-data.template";
    findings.warnings.push_back(std::move(missing));
  }
  return findings;
}

Status tell_edge_findings(const Invocation& invocation, const EdgeRequest& request) {
  INGOT_TRY(const auto findings, check_edge_project(request));
  const bool is_strict = invocation.has("--strict");
  for (const auto& warning : findings.warnings) {
    if (is_strict || !is_quiet(invocation)) report_warning(warning);
  }
  for (const auto& error : findings.errors) report(error);
  const std::size_t wrong = findings.errors.size() + (is_strict ? findings.warnings.size() : 0);
  if (wrong == 0) return {};
  return base::fail(
      ErrorKind::invalid,
      fmt::format("{} would not come out as it is meant: {} in its parameters and files", visible(request.target),
                  wrong == 1 ? "there is a mistake" : fmt::format("there are {} mistakes", wrong)),
      "correct what is named above; nothing was sent");
}

}  // namespace ingot::client
