#include "daemon/earthfile/language.h"

#include <algorithm>

namespace ingot::earthfile {

const std::vector<CommandInfo>& commands() {
  constexpr std::string_view kWrite = "write the steps of the case that you need as plain commands";
  constexpr std::string_view kFrom = "use FROM +target, or one target with all its steps";
  constexpr std::string_view kNotInLanguage = "Earthfiles never had it";
  static const std::vector<CommandInfo> kCommands = {
      {"FROM", true, ""},
      {"RUN", true, ""},
      {"COPY", true, ""},
      {"ARG", true, ""},
      {"LET", true, ""},
      {"SET", true, ""},
      {"ENV", true, ""},
      {"WORKDIR", true, ""},
      {"USER", true, ""},
      {"SAVE ARTIFACT", true, ""},
      {"LABEL", true, ""},
      {"ENTRYPOINT", true, ""},
      {"CMD", true, ""},
      {"EXPOSE", true, ""},
      {"VOLUME", true, ""},
      {"HEALTHCHECK", true, ""},
      {"PROJECT", true, ""},
      {"VERSION", false, "VERSION is the first line of the file, once"},
      {"SAVE IMAGE", false, "save a directory with SAVE ARTIFACT"},
      {"FROM DOCKERFILE", false, kFrom},
      {"BUILD", false, "submit each target as a job of its own"},
      {"IF", false, kWrite},
      {"ELSE", false, kWrite},
      {"ELSE IF", false, kWrite},
      {"END", false, kWrite},
      {"FOR", false, "write a loop of the shell in one RUN"},
      {"WITH DOCKER", false, kFrom},
      {"DO", false, kFrom},
      {"COMMAND", false, kFrom},
      {"FUNCTION", false, kFrom},
      {"IMPORT", false, kFrom},
      {"WAIT", false, "commands of a target run in order already"},
      {"TRY", false, "let the RUN itself handle its failure"},
      {"CATCH", false, "let the RUN itself handle its failure"},
      {"FINALLY", false, "let the RUN itself handle its failure"},
      {"GIT CLONE", false, "clone before the build, and COPY the result"},
      {"CACHE", false, "leave it out: the build is right without it"},
      {"LOCALLY", false, "run the command before the build"},
      {"HOST", false, "write /etc/hosts in the RUN that needs it"},
      {"ADD", false, kNotInLanguage},
      {"STOPSIGNAL", false, kNotInLanguage},
      {"ONBUILD", false, kNotInLanguage},
      {"SHELL", false, kNotInLanguage}};
  return kCommands;
}

const CommandInfo* find_command(std::string_view name) {
  const auto& all = commands();
  auto found = std::find_if(all.begin(), all.end(), [&](const auto& row) { return row.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : commands()) names.emplace_back(command.name);
  return names;
}

const std::vector<std::string>& version_features() {
  static const std::vector<std::string> kFeatures = {"allow-privileged-from-dockerfile",
                                                     "allow-without-earthly-labels",
                                                     "arg-scope-and-set",
                                                     "build-auto-skip",
                                                     "cache-persist-option",
                                                     "check-duplicate-images",
                                                     "docker-cache",
                                                     "earthly-ci-runner-arg",
                                                     "earthly-git-author-args",
                                                     "earthly-locally-arg",
                                                     "earthly-version-arg",
                                                     "exec-after-parallel",
                                                     "explicit-global",
                                                     "for-in",
                                                     "git-author-email-name-args",
                                                     "git-branch",
                                                     "git-commit-author-timestamp",
                                                     "git-refs",
                                                     "global-cache",
                                                     "host-command",
                                                     "new-platform",
                                                     "no-implicit-ignore",
                                                     "no-network",
                                                     "no-use-registry-for-with-docker",
                                                     "parallel-load",
                                                     "pass-args",
                                                     "raw-output",
                                                     "referenced-save-only",
                                                     "require-force-for-unsafe-saves",
                                                     "run-with-aws",
                                                     "run-with-aws-oidc",
                                                     "save-artifact-keep-own",
                                                     "shell-out-anywhere",
                                                     "try",
                                                     "use-cache-command",
                                                     "use-chmod",
                                                     "use-copy-include-patterns",
                                                     "use-copy-link",
                                                     "use-docker-ignore",
                                                     "use-function-keyword",
                                                     "use-host-command",
                                                     "use-inline-cache",
                                                     "use-no-manifest-list",
                                                     "use-pipelines",
                                                     "use-project-secrets",
                                                     "use-registry-for-with-docker",
                                                     "use-visited-upfront-hash-collection",
                                                     "wait-block",
                                                     "wildcard-builds",
                                                     "wildcard-copy"};
  return kFeatures;
}

}  // namespace ingot::earthfile
