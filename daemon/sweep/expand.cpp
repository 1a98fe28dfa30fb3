#include "daemon/sweep/expand.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/strings.h"
#include "daemon/sweep/versions.h"

namespace ingot::sweep {

namespace {

// More are a mistake; each would be a job with a log of its own.
constexpr std::uint64_t kMostCells = 10'000;
constexpr const char* kVersions = "K8S_VERSION";

using Values = std::map<std::string, std::string>;

bool has_all(const Values& cell, const Values& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
    const auto found = cell.find(pair.first);
    return found != cell.end() && found->second == pair.second;
  });
}

class Expander {
 public:
  Expander(const Specification& specification, const Project& project)
      : specification_(specification), project_(project) {}

  Expansion run() {
    check_names();
    check_size();
    if (made_.findings.errors.empty()) combine(0, {});
    if (made_.findings.errors.empty()) include_and_exclude();
    if (made_.findings.errors.empty()) make_cells();
    return std::move(made_);
  }

 private:
  void refuse(const proto::Position& position, std::string message, std::string hint = {}) {
    made_.findings.errors.push_back({ErrorKind::invalid, std::move(message), std::move(hint), position, {}});
  }
  void warn(const proto::Position& position, std::string message, std::string hint = {}) {
    made_.findings.warnings.push_back({ErrorKind::invalid, std::move(message), std::move(hint), position, {}});
  }

  void check_name(const std::string& name, const proto::Position& position) {
    if (project_.declared.empty() || project_.declared.contains(name)) return;
    const std::string hint = base::did_you_mean(name, {project_.declared.begin(), project_.declared.end()});
    refuse(position, base::printable(name) + " is no argument of this project",
           hint.empty() ? "no Earthfile of it has an ARG of this name" : hint);
  }

  void check_names() {
    for (const auto& axis : specification_.axes) check_name(axis.name, axis.position);
    for (const auto* list : {&specification_.include, &specification_.exclude}) {
      for (const auto& each : *list) {
        for (const auto& [name, value] : each.values) check_name(name, each.position);
      }
    }
    for (const auto& each : specification_.overrides) {
      for (const auto& [name, value] : each.args) check_name(name, each.when.position);
    }
    for (const auto& target : specification_.targets) check_target(target);
    if (!specification_.base.text.empty()) check_target(specification_.base);
  }

  void check_target(const Value& target) {
    if (project_.targets.empty() || project_.targets.contains(target.text)) return;
    refuse(target.position,
           fmt::format("there is no target {} in {}", base::printable(target.text), specification_.project),
           base::did_you_mean(target.text, {project_.targets.begin(), project_.targets.end()}));
  }

  // Before anything is made of it.
  void check_size() {
    std::uint64_t cells = specification_.targets.size();
    std::vector<std::string> factors;
    for (const auto& axis : specification_.axes) {
      std::uint64_t size = axis.values.size();
      if (axis.name == kVersions) {
        std::uint64_t most = 1;
        for (const auto& [name, versions] : project_.versions) most = std::max<std::uint64_t>(most, versions.size());
        size = std::max(size, most);
      }
      factors.push_back(fmt::format("{} {}", size, base::printable(axis.name)));
      cells = size != 0 && cells > UINT64_MAX / size ? UINT64_MAX : cells * size;
    }
    constexpr std::uint64_t kFarTooMany = 1'000'000;
    if (cells >= kFarTooMany) {
      refuse(specification_.axes.front().position,
             fmt::format("the axes make {} cells ({})", cells == UINT64_MAX ? "countless" : std::to_string(cells),
                         base::join(factors, " x ")),
             fmt::format("a sweep has at most {}: give some of them fewer values", kMostCells));
    }
  }

  void combine(std::size_t axis, const Values& values) {
    if (!made_.findings.errors.empty()) return;
    if (axis == specification_.axes.size()) {
      combined_.push_back(values);
      return;
    }
    const Axis& here = specification_.axes[axis];
    std::set<std::string> seen;
    for (const auto& value : here.values) {
      for (const auto& text : meant(here, value, values)) {
        if (!seen.insert(text).second) continue;
        Values more = values;
        more[here.name] = text;
        combine(axis + 1, more);
      }
    }
  }

  // What a value stands for: of versions there may be several, those of the distribution of this cell.
  std::vector<std::string> meant(const Axis& axis, const Value& value, const Values& values) {
    if (axis.name != kVersions || project_.versions.empty()) return {value.text};
    const std::string distribution = distribution_of(values);
    const auto known = project_.versions.find(distribution);
    auto found = select_versions(
        value.text, known == project_.versions.end() ? std::vector<std::string>() : known->second, distribution);
    if (found) return *std::move(found);
    if (is_first_.insert(distribution + " " + value.text).second) {
      refuse(value.position, found.error().message, found.error().hint);
    }
    return {};
  }

  std::string distribution_of(const Values& values) const {
    for (const Values* each : {&values, &specification_.args, &project_.args}) {
      if (const auto found = each->find("K8S_DISTRIBUTION"); found != each->end() && !found->second.empty()) {
        return found->second;
      }
    }
    return "k3s";
  }

  void include_and_exclude() {
    for (const auto& each : specification_.exclude) {
      const auto gone = std::erase_if(combined_, [&](const Values& cell) { return has_all(cell, each.values); });
      if (gone == 0) warn(each.position, "nothing is excluded by this", "no cell has these values");
    }
    for (const auto& each : specification_.include) {
      if (std::find(combined_.begin(), combined_.end(), each.values) == combined_.end()) {
        combined_.push_back(each.values);
      } else {
        warn(each.position, "this cell is there without being included");
      }
    }
    if (combined_.empty()) refuse(specification_.axes.front().position, "every cell is excluded");
    const std::uint64_t cells = combined_.size() * specification_.targets.size();
    if (cells > kMostCells) {
      refuse(specification_.axes.front().position, fmt::format("the axes make {} cells", cells),
             fmt::format("a sweep has at most {}: give some of them fewer values", kMostCells));
    }
  }

  void make_cells() {
    std::set<const Override*> used;
    for (const auto& values : combined_) {
      for (const auto& target : specification_.targets) {
        Cell cell{name_of(values),        target.text, values, specification_.args, specification_.timeout_seconds,
                  specification_.priority};
        if (specification_.targets.size() > 1) cell.name += " " + target.text;
        for (const auto& [name, value] : values) cell.args[name] = value;
        for (const auto& each : specification_.overrides) {
          if (!has_all(values, each.when.values)) continue;
          used.insert(&each);
          for (const auto& [name, value] : each.args) cell.args[name] = value;
          cell.timeout_seconds = each.timeout_seconds.value_or(cell.timeout_seconds);
          cell.priority = each.priority.value_or(cell.priority);
        }
        made_.cells.push_back(std::move(cell));
      }
    }
    for (const auto& each : specification_.overrides) {
      if (!used.contains(&each)) warn(each.when.position, "this is for no cell", "none has these values");
    }
  }

  std::string name_of(const Values& values) const {
    std::vector<std::string> words;
    for (const auto& axis : specification_.axes) {
      if (const auto found = values.find(axis.name); found != values.end()) words.push_back(found->second);
    }
    for (const auto& [name, value] : values) {
      const bool is_axis = std::any_of(specification_.axes.begin(), specification_.axes.end(),
                                       [&, &wanted = name](const Axis& axis) { return axis.name == wanted; });
      if (!is_axis) words.push_back(name + "=" + value);
    }
    return base::join(words, " ");
  }

  const Specification& specification_;
  const Project& project_;
  std::vector<Values> combined_;
  std::set<std::string> is_first_;  // a fault that each of many cells has is told once
  Expansion made_;
};

}  // namespace

Expansion expand(const Specification& specification, const Project& project) {
  return Expander(specification, project).run();
}

}  // namespace ingot::sweep
