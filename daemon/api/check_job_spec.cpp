#include "daemon/api/check_job_spec.h"

#include <fmt/format.h>

#include "daemon/base/digest.h"
#include "daemon/base/platform.h"
#include "daemon/base/strings.h"

namespace ingot::api {

namespace {

using base::fail;

constexpr std::size_t kMostLabels = 64;
constexpr std::size_t kMostArgs = 1000;
constexpr std::size_t kMostBuiltins = 100;
constexpr std::size_t kMostTargets = 100;
constexpr std::size_t kMostPlatforms = 20;
constexpr std::size_t kLongestText = 4096;

Status check_pairs(const std::map<std::string, std::string>& pairs, const std::string& what, std::size_t most) {
  if (pairs.size() > most) return fail(ErrorKind::invalid, fmt::format("a job has at most {} {}", most, what));
  for (const auto& [key, value] : pairs) {
    if (key.empty() || key.size() > 256 || value.size() > 16 * kLongestText) {
      return fail(ErrorKind::invalid, fmt::format("one of the job's {} has an empty name, or is too long", what));
    }
  }
  return {};
}

Status check_target(const std::string& target) {
  if (target.starts_with('+') && target.size() >= 2 && target.size() <= 256) return {};
  return fail(ErrorKind::invalid, "\"" + base::printable(target.substr(0, 100)) + "\" is no target",
              "a target is \"+\" and its name, such as +build");
}

}  // namespace

Status check_job_values(proto::JobSpec& spec, TargetIs target) {
  const bool may_be_missing = target == TargetIs::optional && spec.target.empty();
  if (!may_be_missing && !proto::names_repository(spec.target)) INGOT_CHECK(check_target(spec.target));
  if (spec.target.size() > kLongestText) return fail(ErrorKind::invalid, "the job's target is too long");
  if (spec.no_cache_targets.size() > kMostTargets) {
    return fail(ErrorKind::invalid, fmt::format("a job has at most {} no_cache_targets", kMostTargets));
  }
  for (const auto& each : spec.no_cache_targets) INGOT_CHECK(check_target(each));
  if (spec.idempotency_key.size() > 256 || spec.project.size() > kLongestText) {
    return fail(ErrorKind::invalid, "the job's idempotency_key or project is too long");
  }
  INGOT_CHECK(check_pairs(spec.labels, "labels", kMostLabels));
  INGOT_CHECK(check_pairs(spec.args, "args", kMostArgs));
  INGOT_CHECK(check_pairs(spec.builtins, "builtins", kMostBuiltins));
  if (spec.platforms.size() > kMostPlatforms) {
    return fail(ErrorKind::invalid, fmt::format("a job has at most {} platforms", kMostPlatforms));
  }
  for (auto& platform : spec.platforms) {
    if (platform == "native") platform = base::native_platform().text();
    INGOT_TRY(const auto parsed, base::parse_platform(platform));
    platform = parsed.text();
  }
  return {};
}

Status check_job_spec(const Services& services, proto::JobSpec& spec, TargetIs target) {
  INGOT_CHECK(check_job_values(spec, target));
  INGOT_TRY(auto context, base::Digest::parse(spec.context));
  INGOT_CHECK(services.contexts.load(context));
  return {};
}

}  // namespace ingot::api
