#include "daemon/dockerfile/instructions.h"

#include <algorithm>

namespace ingot::dockerfile {

namespace {

const std::vector<InstructionInfo>& instructions() {
  constexpr std::size_t kAny = ~std::size_t{0};
  static const std::vector<InstructionInfo> kInstructions = {
      {Kind::from, "FROM", false, 1, 3, "FROM debian:bookworm AS build", {"platform"}},
      {Kind::run, "RUN", true, 1, kAny, "RUN make", {"mount", "network", "security", "device"}},
      {Kind::copy, "COPY", true, 2, kAny, "COPY src/ /src/", {"from", "chown", "chmod", "link", "parents", "exclude"}},
      {Kind::add,
       "ADD",
       true,
       2,
       kAny,
       "ADD src/ /src/",
       {"chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"}},
      {Kind::arg, "ARG", false, 1, kAny, "ARG NAME=value", {}},
      {Kind::env, "ENV", false, 1, kAny, "ENV NAME=value", {}},
      {Kind::label, "LABEL", false, 1, kAny, "LABEL name=value", {}},
      {Kind::working_directory, "WORKDIR", false, 1, kAny, "WORKDIR /src", {}},
      {Kind::user, "USER", false, 1, 1, "USER build, or USER 1000:1000", {}},
      {Kind::shell, "SHELL", true, 1, kAny, "SHELL [\"/bin/bash\", \"-c\"]", {}},
      {Kind::expose, "EXPOSE", false, 1, kAny, "EXPOSE 80/tcp", {}},
      {Kind::volume, "VOLUME", true, 1, kAny, "VOLUME /data", {}},
      {Kind::entrypoint, "ENTRYPOINT", true, 1, kAny, "ENTRYPOINT [\"/bin/server\"]", {}},
      {Kind::cmd, "CMD", true, 1, kAny, "CMD [\"--help\"]", {}},
      {Kind::healthcheck,
       "HEALTHCHECK",
       true,
       0,
       kAny,
       "HEALTHCHECK --interval=30s CMD curl -f http://localhost/",
       {"interval", "timeout", "start-period", "start-interval", "retries"}},
      {Kind::stop_signal, "STOPSIGNAL", false, 1, 1, "STOPSIGNAL SIGTERM", {}},
      {Kind::maintainer, "MAINTAINER", false, 1, kAny, "LABEL maintainer=...", {}},
      {Kind::onbuild, "ONBUILD", false, 1, kAny, "", {}}};
  return kInstructions;
}

}  // namespace

const InstructionInfo* find_instruction(std::string_view name) {
  const auto& all = instructions();
  auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> instruction_names() {
  std::vector<std::string> names;
  for (const auto& one : instructions()) names.emplace_back(one.name);
  return names;
}

}  // namespace ingot::dockerfile
