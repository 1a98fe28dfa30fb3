#include "daemon/sweep/specification.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/edge/document_check.h"

namespace ingot::sweep {

namespace {

// From a tree that fits the schema: what is read here is there in the form that it says.
class Reader {
 public:
  Reader(const text::Source& source, edge::DocumentCheck& check) : source_(source), check_(check) {}

  Specification read(const YAML::Node& root, const std::string& name) {
    Specification made;
    made.name = text(root["name"], name);
    made.project = text(root["project"], ".");
    for (const auto& each : root["targets"]) made.targets.push_back({text(each), at(each)});
    if (root["base"]) made.base = {text(root["base"]), at(root["base"])};
    made.args = values(root["args"]);
    made.axes = axes(root["axes"]);
    made.include = cases(root["include"]);
    made.exclude = cases(root["exclude"]);
    for (const auto& each : root["overrides"]) made.overrides.push_back(override_of(each));
    made.secrets = texts(root["secrets"]);
    made.push = text(root["push"]) == "true";
    if (text(root["publish"]) == "all-or-nothing") made.publish = Publish::all_or_nothing;
    made.priority = number(root["priority"]);
    made.timeout_seconds = seconds(root["timeout"]);
    const YAML::Node limits = root["limits"];
    if (limits && limits.IsMap()) {
      made.limits = {static_cast<unsigned>(number(limits["parallel"])), seconds(limits["time"]), bytes(limits["disk"])};
    }
    made.stop_after = static_cast<unsigned>(number(root["stop-after"]));
    const YAML::Node retention = root["retention"];
    if (retention && retention.IsMap()) {
      made.retention = {seconds(retention["jobs"]), seconds(retention["artifacts"])};
    }
    if (text(root["on-failure"]) == "stop" && made.stop_after == 0) made.stop_after = 1;
    refuse_contradictions(root, made);
    return made;
  }

 private:
  proto::Position at(const YAML::Node& node) const {
    return source_.position(node.Mark().is_null() ? 0 : static_cast<std::size_t>(node.Mark().pos));
  }
  static std::string text(const YAML::Node& node, const std::string& fallback = {}) {
    return node && node.IsScalar() ? node.Scalar() : fallback;
  }
  static int number(const YAML::Node& node) { return node ? node.as<int>(0) : 0; }
  static std::uint64_t seconds(const YAML::Node& node) {
    constexpr double kCentury = 3'155'760'000;  // as good as for ever, and nothing that is counted in overflows
    return static_cast<std::uint64_t>(std::min(base::parse_duration(text(node, "0")).value_or(0), kCentury));
  }
  static std::uint64_t bytes(const YAML::Node& node) { return base::parse_bytes(text(node, "0")).value_or(0); }
  static std::vector<std::string> texts(const YAML::Node& list) {
    std::vector<std::string> all;
    for (const auto& each : list) all.push_back(text(each));
    return all;
  }
  static std::map<std::string, std::string> values(const YAML::Node& map) {
    std::map<std::string, std::string> all;
    if (!map || !map.IsMap()) return all;
    for (const auto& pair : map) all[pair.first.Scalar()] = text(pair.second);
    return all;
  }

  std::vector<Axis> axes(const YAML::Node& map) {
    std::vector<Axis> all;
    if (map.size() == 0) check_.complain(map.Mark(), "axes is empty", "such as K8S_VERSION: all");
    for (const auto& pair : map) {
      Axis axis{pair.first.Scalar(), at(pair.first), {}};
      if (pair.second.IsScalar()) axis.values.push_back({pair.second.Scalar(), at(pair.second)});
      for (const auto& each : pair.second) axis.values.push_back({each.Scalar(), at(each)});
      if (axis.values.empty()) {
        check_.complain(pair.first.Mark(), fmt::format("axis {} has no values", base::printable(axis.name)),
                        "a sweep with it would have no cell: remove the axis, or give it values");
      }
      all.push_back(std::move(axis));
    }
    return all;
  }

  std::vector<Case> cases(const YAML::Node& list) {
    std::vector<Case> all;
    for (const auto& each : list) all.push_back({values(each), at(each)});
    return all;
  }

  Override override_of(const YAML::Node& node) {
    Override made{{values(node["when"]), at(node)}, values(node["args"]), {}, {}};
    if (node["timeout"]) made.timeout_seconds = seconds(node["timeout"]);
    if (node["priority"]) made.priority = number(node["priority"]);
    return made;
  }

  void refuse_contradictions(const YAML::Node& root, const Specification& made) {
    if (made.publish == Publish::all_or_nothing && !made.push) {
      check_.complain(root["publish"].Mark(), "publish says when images are pushed, and none are", "add push: true");
    }
    if (text(root["on-failure"]) == "keep-going" && root["stop-after"]) {
      check_.complain(root["stop-after"].Mark(), "stop-after contradicts on-failure: keep-going", "remove one of them");
    }
    for (const auto& axis : made.axes) {
      if (made.args.contains(axis.name)) {
        check_.complain(root["args"][axis.name].Mark(), fmt::format("{} is an axis, too", base::printable(axis.name)),
                        "remove one of them");
      }
    }
    if (made.targets.empty()) check_.complain(root["targets"].Mark(), "targets is empty", "such as [+provider-image]");
  }

  const text::Source& source_;
  edge::DocumentCheck& check_;
};

}  // namespace

Read read_specification(std::string_view text, const std::string& file_name, const std::string& name) {
  Read read;
  if (auto error = edge::too_large(text, file_name, "such file", "ranges and lists of versions are short")) {
    read.findings.errors.push_back(*std::move(error));
    return read;
  }
  const text::Source source(text, file_name);
  edge::DocumentCheck check(source);
  const auto root = check.check(sweep_schema(), "targets and axes");
  auto found = check.take();
  if (root && found.errors.empty()) {
    edge::DocumentCheck more(source);
    read.specification = Reader(source, more).read(*root, name);
    found.errors = more.take().errors;
  }
  read.findings = std::move(found);
  return read;
}

}  // namespace ingot::sweep
