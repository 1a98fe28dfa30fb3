#include "daemon/earthfile/run_options.h"

namespace ingot::earthfile {

const std::vector<OptionInfo>& run_options() {
  static const std::vector<OptionInfo> kOptions = {{"no-cache", false, ""},
                                                   {"raw-output", false, ""},
                                                   {"push", false, ""},
                                                   {"privileged", false, ""},
                                                   {"secret", true, ""},
                                                   {"mount", true, ""},
                                                   {"ssh", false, "fetch before the build, and COPY the result"},
                                                   {"entrypoint", false, "write the image's entrypoint into the RUN"},
                                                   {"network", true, ""},
                                                   {"interactive", false, "write the answers into the RUN"},
                                                   {"interactive-keep", false, "write the answers into the RUN"},
                                                   {"aws", false, "pass the credentials as arguments"},
                                                   {"oidc", true, "pass the credentials as arguments"},
                                                   {"with-docker", false, "leave it out"}};
  return kOptions;
}

const std::vector<OptionInfo>& question_options() {
  static const std::vector<OptionInfo> kOptions = {
      {"no-cache", false, ""}, {"privileged", false, ""},
      {"secret", true, ""},    {"mount", true, ""},
      {"network", true, ""},   {"ssh", false, "fetch before the build, and COPY the result"}};
  return kOptions;
}

}  // namespace ingot::earthfile
