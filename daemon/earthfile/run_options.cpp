#include "daemon/earthfile/run_options.h"

namespace ingot::earthfile {

namespace {

constexpr ErrorKind kRefused = ErrorKind::unsupported;
constexpr const char* kAnswers = "write the answers into the command, or try it out with: ingot build, then docker run";
constexpr const char* kNoTerminal = "a job has no terminal to ask at";
constexpr const char* kCredentials = "give them as secrets: --secret AWS_ACCESS_KEY_ID --secret AWS_SECRET_ACCESS_KEY";
constexpr const char* kNoCloud = "Ingot takes no credentials from the surroundings of who builds";

}  // namespace

const std::vector<OptionInfo>& run_options() {
  static const std::vector<OptionInfo> kOptions = {
      {"no-cache", false, ""},
      {"raw-output", false, "", kRefused, "raw-output"},
      {"push", false, ""},
      {"privileged", false, ""},
      {"secret", true, ""},
      {"mount", true, ""},
      {"ssh", false, ""},
      {"entrypoint", false, ""},
      {"network", true, "", kRefused, "no-network"},
      {"interactive", false, kAnswers, kRefused, "", kNoTerminal},
      {"interactive-keep", false, kAnswers, kRefused, "", kNoTerminal},
      {"aws", false, kCredentials, kRefused, "run-with-aws", kNoCloud},
      {"oidc", true, kCredentials, kRefused, "run-with-aws-oidc", kNoCloud},
      {"with-docker", false, "WITH DOCKER and END stand around the RUN", ErrorKind::syntax}};
  return kOptions;
}

const std::vector<OptionInfo>& question_options() {
  static const std::vector<OptionInfo> kOptions = {{"no-cache", false, ""},
                                                   {"privileged", false, ""},
                                                   {"secret", true, ""},
                                                   {"mount", true, ""},
                                                   {"network", true, "", kRefused, "no-network"},
                                                   {"ssh", false, ""}};
  return kOptions;
}

}  // namespace ingot::earthfile
