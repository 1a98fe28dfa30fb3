#include "client/commands/edge_checks.h"

#include <fmt/format.h>
#include <unistd.h>

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

constexpr std::uint64_t kLargest = 16U << 20U;
constexpr const char* kUserData = "user-data";

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

void append(edge::Findings& all, const edge::Findings& more) {
  all.errors.insert(all.errors.end(), more.errors.begin(), more.errors.end());
  all.warnings.insert(all.warnings.end(), more.warnings.begin(), more.warnings.end());
}

}  // namespace

EdgeProject::EdgeProject(fs::path project, const fs::path& arg_file, std::set<std::string> declared)
    : project_(std::move(project)) {
  surroundings_.declared = std::move(declared);
  if (!edge::is_edge_project(surroundings_.declared)) return;
  surroundings_.has_file = [this](const std::string& path) { return access((project_ / path).c_str(), F_OK) == 0; };
  if (const auto text = sys::read_file(project_ / "k8s_version.json", kLargest)) {
    auto versions = edge::parse_kubernetes_versions(*text, "k8s_version.json");
    if (versions) {
      surroundings_.versions = *std::move(versions);
    } else {
      broken_ = versions.error();
    }
  }
  const auto text = sys::read_file(arg_file, 1U << 20U);
  const auto entries = earthfile::parse_dotenv_entries(text.value_or(""), arg_file.filename().string());
  if (!entries) return;
  for (const auto& entry : *entries) arg_file_[entry.name] = {entry.value, entry.position};
}

// With the lines of `.arg` where its value was not given again elsewhere.
edge::Parameters EdgeProject::with_lines(const std::map<std::string, std::string>& args) const {
  edge::Parameters parameters;
  for (const auto& [name, value] : args) {
    const auto found = arg_file_.find(name);
    const bool is_of_file = found != arg_file_.end() && found->second.value == value;
    parameters[name] = is_of_file ? found->second : edge::Given{value, {}};
  }
  return parameters;
}

const edge::Findings& EdgeProject::findings_of(const std::string& file) {
  static const edge::Findings kNone;
  auto [known, is_new] = files_.try_emplace(file);
  if (is_new) {
    if (const auto text = sys::read_file(project_ / file, kLargest)) {
      known->second = file == kUserData ? edge::check_user_data(*text, file) : edge::check_custom_config(*text, file);
    }
  }
  return known->second ? *known->second : kNone;
}

Result<edge::Findings> EdgeProject::check(const std::map<std::string, std::string>& args, const std::string& target) {
  if (!edge::is_edge_project(surroundings_.declared)) return edge::Findings{};
  if (broken_) return base::fail(*broken_);
  surroundings_.makes_provider_images = makes_provider_images(target);
  const auto parameters = with_lines(args);
  edge::Findings findings = edge::check_parameters(parameters, surroundings_);
  const auto custom = parameters.find("EDGE_CUSTOM_CONFIG");
  const std::string config = custom == parameters.end() ? ".edge-custom-config.yaml" : custom->second.value;
  if (!config.empty()) append(findings, findings_of(config));
  if (!takes_user_data(target)) return findings;
  append(findings, findings_of(kUserData));
  if (!files_.at(kUserData) && makes_iso(target)) {
    Error missing;
    missing.kind = ErrorKind::not_found;
    missing.message = "there is no user-data: the ISO installs a system that nobody can log in to";
    missing.hint = "begin with user-data.template";
    findings.warnings.push_back(std::move(missing));
  }
  return findings;
}

Status tell_edge_findings(const Invocation& invocation, const EdgeRequest& request) {
  EdgeProject project(request.project, request.arg_file, request.declared);
  INGOT_TRY(const auto findings, project.check(request.args, request.target));
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
