#include "client/earthly/flag_table.h"

#include <algorithm>
#include <map>

namespace ingot::client::earthly {

namespace {

using enum Flag::Value;
using enum FlagUse;

const std::map<std::string, std::vector<Flag>>& by_command() {
  static const std::map<std::string, std::vector<Flag>> kCommands = {
      {"ls", {{"args", {"a"}, none, {}, taken, ""}, {"long", {"l"}, none, {}, taken, ""}}},
      {"doc", {{"long", {"l"}, none, {}, taken, ""}}},
      {"prune",
       {{"all", {"a"}, none, {}, taken, ""},
        {"reset", {}, none, {}, taken, ""},
        {"age", {}, one, {}, taken, ""},
        {"size", {}, one, {}, taken, ""}}},
      {"init", {}},
      {"debug", {}},
      {"help", {}},
      {"version", {}},
  };
  return kCommands;
}

}  // namespace

const std::vector<Flag>& build_flags() {
  const std::string cache = "what was built is found again on this host without it";
  const std::string daemon = "the daemon is ingotd, and INGOT_SOCKET names its socket";
  const std::string cloud = "nothing is asked of a cloud; everything is built on this host";
  const std::string rule = "logins are those of the daemon's `images` rules";
  static const std::vector<Flag> kFlags = {
      {"allow-privileged", {"P"}, none, {"EARTHLY_ALLOW_PRIVILEGED"}, idle, ""},
      {"push", {}, none, {"EARTHLY_PUSH"}, taken, ""},
      {"ci", {}, none, {"EARTHLY_CI"}, taken, ""},
      {"strict", {}, none, {"EARTHLY_STRICT"}, taken, ""},
      {"output", {}, none, {"EARTHLY_OUTPUT"}, taken, ""},
      {"no-output", {}, none, {"EARTHLY_NO_OUTPUT"}, taken, ""},
      {"no-cache", {}, none, {"EARTHLY_NO_CACHE"}, taken, ""},
      {"pull", {}, none, {"EARTHLY_PULL"}, taken, ""},
      {"platform", {}, list, {"EARTHLY_PLATFORMS"}, taken, ""},
      {"secret", {"s"}, list, {"EARTHLY_SECRETS"}, taken, ""},
      {"secret-file", {}, list, {"EARTHLY_SECRET_FILES"}, taken, ""},
      {"build-arg", {}, list, {"EARTHLY_BUILD_ARGS"}, taken, ""},
      {"arg-file-path", {}, one, {"EARTHLY_ARG_FILE_PATH"}, taken, ""},
      {"env-file-path", {}, one, {"EARTHLY_ENV_FILE_PATH"}, taken, ""},
      {"secret-file-path", {}, one, {"EARTHLY_SECRET_FILE_PATH"}, taken, ""},
      {"ssh-auth-sock", {}, one, {"EARTHLY_SSH_AUTH_SOCK"}, taken, ""},
      {"verbose", {"V"}, none, {"EARTHLY_VERBOSE"}, taken, ""},
      {"debug", {"D"}, none, {"EARTHLY_DEBUG"}, taken, ""},
      {"artifact", {"a"}, none, {}, taken, ""},
      {"image", {}, none, {}, taken, ""},
      {"help", {"h"}, none, {}, taken, ""},
      {"version", {"v"}, none, {}, taken, ""},
      {"no-sat", {"no-satellite"}, none, {"EARTHLY_NO_SATELLITE"}, idle, ""},
      {"no-auto-skip", {}, none, {"EARTHLY_NO_AUTO_SKIP"}, idle, ""},
      {"github-annotations", {}, none, {}, idle, ""},
      {"no-buildkit-update", {}, none, {"EARTHLY_NO_BUILDKIT_UPDATE"}, idle, ""},
      {"disable-analytics", {}, none, {"EARTHLY_DISABLE_ANALYTICS"}, idle, ""},
      {"disable-remote-registry-proxy", {}, none, {"EARTHLY_DISABLE_REMOTE_REGISTRY_PROXY"}, idle, ""},
      {"global-wait-end", {}, none, {"EARTHLY_GLOBAL_WAIT_END"}, idle, ""},
      {"logstream", {}, none, {"EARTHLY_LOGSTREAM"}, idle, ""},
      {"logstream-upload", {}, none, {"EARTHLY_LOGSTREAM_UPLOAD"}, idle, ""},
      {"use-inline-cache", {}, none, {"EARTHLY_USE_INLINE_CACHE"}, warned, cache},
      {"save-inline-cache", {}, none, {"EARTHLY_SAVE_INLINE_CACHE"}, warned, cache},
      {"remote-cache", {}, one, {"EARTHLY_REMOTE_CACHE"}, warned, cache},
      {"max-remote-cache", {}, none, {"EARTHLY_MAX_REMOTE_CACHE"}, warned, cache},
      {"cache-from", {}, list, {"EARTHLY_CACHE_FROM"}, warned, cache},
      {"auto-skip", {}, none, {"EARTHLY_AUTO_SKIP"}, warned, cache},
      {"auto-skip-db-path", {}, one, {"EARTHLY_AUTO_SKIP_DB_PATH"}, warned, cache},
      {"buildkit-host", {}, one, {"EARTHLY_BUILDKIT_HOST"}, warned, daemon},
      {"buildkit-image", {}, one, {"EARTHLY_BUILDKIT_IMAGE"}, warned, daemon},
      {"buildkit-container-name", {}, one, {"EARTHLY_CONTAINER_NAME"}, warned, daemon},
      {"buildkit-volume-name", {}, one, {"EARTHLY_VOLUME_NAME"}, warned, daemon},
      {"installation-name", {}, one, {"EARTHLY_INSTALLATION_NAME"}, warned, daemon},
      {"config", {}, one, {"EARTHLY_CONFIG"}, warned, "the daemon's configuration is /etc/ingot/ingotd.yaml"},
      {"satellite", {"sat"}, one, {"EARTHLY_SATELLITE"}, warned, cloud},
      {"org", {}, one, {"EARTHLY_ORG"}, warned, cloud},
      {"project", {}, one, {"EARTHLY_PROJECT"}, warned, cloud},
      {"auth-token", {}, one, {"EARTHLY_TOKEN"}, warned, cloud},
      {"auth-jwt", {}, one, {"EARTHLY_JWT"}, warned, cloud},
      {"exec-stats", {}, none, {"EARTHLY_EXEC_STATS"}, warned, "`ingot why JOB` tells how long steps took"},
      {"exec-stats-summary",
       {},
       one,
       {"EARTHLY_EXEC_STATS_SUMMARY"},
       warned,
       "`ingot why JOB` tells how long steps took"},
      {"git-username", {}, one, {}, warned, rule},
      {"git-password", {}, one, {}, warned, rule},
      {"git-branch", {}, one, {"EARTHLY_GIT_BRANCH_OVERRIDE"}, warned, "the branch is the one that is checked out"},
      {"git-lfs-pull-include",
       {},
       one,
       {"EARTHLY_GIT_LFS_PULL_INCLUDE"},
       warned,
       "run `git lfs pull` before the build"},
      {"interactive",
       {"i"},
       none,
       {"EARTHLY_INTERACTIVE"},
       refused,
       "a step that fails cannot be entered; let its RUN print what you want to see"},
      {"version-flag-overrides",
       {},
       one,
       {"EARTHLY_VERSION_FLAG_OVERRIDES"},
       refused,
       "write the flags into the VERSION line of the Earthfile"},
      {"earthly-ci-runner", {}, none, {"EARTHLY_CI_RUNNER"}, idle, ""},
  };
  return kFlags;
}

const std::vector<Flag>* command_flags(const std::string& command) {
  const auto found = by_command().find(command);
  return found == by_command().end() ? nullptr : &found->second;
}

std::string without_effect(const std::string& command) {
  if (command == "bootstrap") return "there is nothing to prepare: `ingot doctor` tells whether this host can build";
  if (command == "config") return "the daemon's configuration is /etc/ingot/ingotd.yaml";
  return "";
}

std::string refused_command(const std::string& command) {
  static const std::vector<std::string> kCloud = {"account", "org",     "project", "satellite", "sat",
                                                  "secret",  "secrets", "web",     "cloud",     "billing",
                                                  "gha",     "github",  "registry"};
  if (std::find(kCloud.begin(), kCloud.end(), command) != kCloud.end()) {
    return command == "registry" ? "logins are those of the `images` rules in /etc/ingot/ingotd.yaml"
                                 : "there are no accounts: everything is built on this host";
  }
  if (command == "docker-build" || command == "docker2earthly") return "write an Earthfile with the same commands";
  return "";
}

std::vector<std::string> commands() {
  std::vector<std::string> names;
  for (const auto& [name, flags] : by_command()) names.push_back(name);
  return names;
}

const Flag* find_flag(const std::vector<Flag>& flags, const std::string& name) {
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) {
    return flag.name == name || std::find(flag.others.begin(), flag.others.end(), name) != flag.others.end();
  });
  return found == flags.end() ? nullptr : &*found;
}

}  // namespace ingot::client::earthly
