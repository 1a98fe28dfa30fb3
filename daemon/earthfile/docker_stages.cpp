#include "daemon/earthfile/docker_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "daemon/base/strings.h"
#include "daemon/earthfile/image_op.h"

namespace ingot::earthfile {

using dockerfile::Kind;

namespace {

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::optional<std::size_t> number_of(const std::string& text) {
  std::size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What an instruction takes files from, by name: --from, and from= of its mounts.
std::vector<std::string> names_from(const dockerfile::Instruction& one) {
  std::vector<std::string> names;
  for (const auto& flag : one.flags) {
    if (flag.name == "from") names.push_back(flag.value);
    if (flag.name != "mount") continue;
    for (const auto& field : base::split(flag.value, ',')) {
      if (field.starts_with("from=")) names.push_back(field.substr(5));
    }
  }
  return names;
}

}  // namespace

DockerStage::DockerStage(graph::ImageConfig config)
    : image(std::move(config)),
      labels(image.labels),
      env(image.env),
      working_dir(image.working_dir.empty() ? "/" : image.working_dir),
      user(image.user) {
  for (const auto& port : image.exposed_ports) ports.set(port, "");
  for (const auto& volume : image.volumes) volumes.set(volume, "");
}

graph::ImageConfig DockerStage::whole_image() const {
  graph::ImageConfig whole = image;
  whole.labels = labels.entries();
  whole.exposed_ports.clear();
  for (const auto& [port, nothing] : ports.entries()) whole.exposed_ports.push_back(port);
  whole.volumes.clear();
  for (const auto& [path, nothing] : volumes.entries()) whole.volumes.push_back(path);
  whole.env = env.entries();
  whole.working_dir = working_dir;
  whole.user = user;
  return whole;
}

DockerStages::DockerStages(const dockerfile::File& file, const DockerRequest& request, const DockerTools& tools)
    : file_(file), request_(request), tools_(tools) {
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    if (!file.stages[i].name.empty()) by_name_[file.stages[i].name].push_back(i);
  }
}

Status DockerStages::declare_globals() {
  for (const auto& [whose, platform] : {std::pair<std::string, const base::Platform&>("TARGET", request_.platform),
                                        {"BUILD", base::native_platform()}}) {
    globals_.set(whose + "PLATFORM", platform.text());
    globals_.set(whose + "OS", platform.os);
    globals_.set(whose + "ARCH", platform.architecture);
    globals_.set(whose + "VARIANT", platform.variant);
  }
  const dockerfile::Lookup lookup = [&](const std::string& name) -> std::optional<std::string> {
    const std::string* value = globals_.find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  };
  for (const auto& one : file_.args) {
    for (const auto& pair : one.pairs) {
      INGOT_CHECK(tools_.count(pair.name.place, 1, globals_.bytes()));
      auto given = request_.build_args.find(pair.name.text);
      if (given != request_.build_args.end()) {
        globals_.set(pair.name.text, given->second);
      } else if (pair.value) {
        INGOT_TRY(auto value, dockerfile::expand(*pair.value, file_.escape, lookup));
        globals_.set(pair.name.text, value);
      }
    }
  }
  return {};
}

void DockerStages::warn_of_unknown_args() const {
  std::set<std::string> declared;
  const auto collect = [&](const std::vector<Instruction>& instructions) {
    for (const auto& one : instructions) {
      if (one.kind != Kind::arg) continue;
      for (const auto& pair : one.pairs) declared.insert(pair.name.text);
    }
  };
  collect(file_.args);
  for (const auto& stage : file_.stages) collect(stage.instructions);
  for (const auto& [name, value] : request_.build_args) {
    if (declared.contains(name) || lower_case(name).ends_with("_proxy")) continue;
    tools_.warn(request_.place, "no ARG of " + file_.source->name() + " is called " + base::printable(name),
                base::did_you_mean(name, {declared.begin(), declared.end()}));
  }
}

std::optional<std::size_t> DockerStages::find_stage(const std::string& name, std::size_t own, bool by_number) const {
  if (auto called = by_name_.find(lower_case(name)); called != by_name_.end()) {
    const auto& numbers = called->second;
    const auto behind = std::lower_bound(numbers.begin(), numbers.end(), own);
    if (behind != numbers.begin()) return *std::prev(behind);
  }
  const auto number = by_number ? number_of(name) : std::nullopt;
  return number && *number < own ? number : std::nullopt;
}

Result<std::size_t> DockerStages::wanted_stage() const {
  if (request_.stage.empty()) return file_.stages.size() - 1;
  if (auto found = find_stage(request_.stage, file_.stages.size(), true)) return *found;
  std::vector<std::string> names;
  for (const auto& [name, numbers] : by_name_) names.push_back(name);
  std::string hint = base::did_you_mean(request_.stage, names);
  constexpr std::size_t kMostListed = 12;
  if (hint.empty() && names.empty()) hint = "its stages have no names";
  if (hint.empty() && names.size() <= kMostListed) hint = "its stages are " + base::join(names, ", ");
  return fail_at(request_.place, ErrorKind::not_found,
                 file_.source->name() + " has no stage \"" + base::printable(request_.stage) + "\"", hint);
}

// FROM sees the ARGs above the first FROM, and nothing else.
Result<std::string> DockerStages::image_of(const dockerfile::Stage& stage) const {
  const dockerfile::Lookup lookup = [&](const std::string& name) -> std::optional<std::string> {
    const std::string* value = globals_.find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  };
  INGOT_TRY(auto image, dockerfile::expand(stage.image, file_.escape, lookup));
  if (image.empty()) {
    return fail_at(stage.image.place, ErrorKind::invalid, "FROM " + stage.image.text + ": this is empty here",
                   "FROM sees the ARGs above the first FROM: give one a value there, or by --build-arg");
  }
  return image;
}

// Of a stage that stands on an image; what stands on another stage is for that one's.
Result<base::Platform> DockerStages::platform_of(const dockerfile::Stage& stage) const {
  if (!stage.platform) return request_.platform;
  const dockerfile::Lookup lookup = [&](const std::string& name) -> std::optional<std::string> {
    const std::string* value = globals_.find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  };
  INGOT_TRY(auto text, dockerfile::expand({stage.platform->value, stage.platform->place}, file_.escape, lookup));
  if (text.empty()) return request_.platform;
  auto platform = base::parse_platform(text);
  if (platform) return platform;
  return fail_at(stage.platform->place, platform.error().kind, platform.error().message, platform.error().hint);
}

// Stages stand on stages above them only, so one look from the wanted one up is enough.
Result<std::vector<bool>> DockerStages::needed_stages(std::size_t wanted) const {
  std::vector<bool> needed(file_.stages.size(), false);
  needed[wanted] = true;
  for (std::size_t i = wanted + 1; i-- > 0;) {
    if (!needed[i]) continue;
    INGOT_TRY(auto image, image_of(file_.stages[i]));
    if (auto base = find_stage(image, i, false)) needed[*base] = true;
    for (const auto& one : file_.stages[i].instructions) {
      for (const auto& name : names_from(one)) {
        if (auto other = find_stage(name, i, true)) needed[*other] = true;
      }
    }
  }
  return needed;
}

Result<DockerStage> DockerStages::begin(std::size_t index) {
  const dockerfile::Stage& from = file_.stages[index];
  INGOT_TRY(auto image, image_of(from));
  if (auto base = find_stage(image, index, false)) {
    DockerStage stage = stages_.at(*base);
    INGOT_CHECK(tools_.count(from.place, 1,
                             stage.env.bytes() + stage.labels.bytes() + stage.ports.bytes() + stage.volumes.bytes()));
    stage.args = {};
    stage.has_own_cmd = false;
    platform_ = stage.platform;
    return stage;
  }
  INGOT_TRY(platform_, platform_of(from));
  INGOT_TRY(auto config, tools_.image(image, platform_, from.image.place));
  DockerStage stage(std::move(config));
  stage.platform = platform_;
  INGOT_TRY(stage.step, add(std::nullopt, image_op(image, platform_), from.text, from.place));
  return stage;
}

Result<DockerStage> DockerStages::build() {
  INGOT_CHECK(declare_globals());
  INGOT_TRY(const auto wanted, wanted_stage());
  INGOT_TRY(const auto needed, needed_stages(wanted));
  for (current_ = 0; current_ <= wanted; ++current_) {
    if (!needed[current_]) continue;
    INGOT_TRY(auto stage, begin(current_));
    for (const auto& one : file_.stages[current_].instructions) INGOT_CHECK(instruction(stage, one));
    stages_.emplace(current_, std::move(stage));
  }
  warn_of_unknown_args();
  return std::move(stages_.at(wanted));
}

Status DockerStages::instruction(DockerStage& stage, const Instruction& one) {
  INGOT_CHECK(tools_.count(one.place, 1 + one.pairs.size(), 0));
  switch (one.kind) {
    case Kind::from:
      return {};  // begins a stage, and is no part of one
    case Kind::run:
      return run(stage, one);
    case Kind::copy:
    case Kind::add:
      return copy(stage, one);
    case Kind::arg:
      return arg(stage, one);
    case Kind::env:
      return env(stage, one);
    case Kind::working_directory:
      return working_directory(stage, one);
    case Kind::user:
      return user(stage, one);
    case Kind::shell:
      stage.shell = *one.exec;
      return {};
    case Kind::label:
      return label(stage, one);
    case Kind::expose:
      return expose(stage, one);
    case Kind::volume:
      return volume(stage, one);
    case Kind::healthcheck:
      return healthcheck(stage, one);
    case Kind::entrypoint:
      return entrypoint(stage, one);
    case Kind::cmd:
      return cmd(stage, one);
    case Kind::stop_signal:
      return stop_signal(stage, one);
    case Kind::maintainer:
      tools_.warn(one.place, "MAINTAINER has no effect", "LABEL maintainer=... says the same");
      return {};
    case Kind::onbuild:
      break;
  }
  return fail_at(one.place, ErrorKind::unsupported, "ONBUILD has no effect in an OCI image, and is refused",
                 "write the instruction into the Dockerfiles that start from this image");
}

// Of a stage's variables ENV comes first. $PATH is never empty in a container.
dockerfile::Lookup DockerStages::lookup(const DockerStage& stage) const {
  return [&stage](const std::string& name) -> std::optional<std::string> {
    for (const auto* table : {&stage.env, &stage.args}) {
      if (const std::string* value = table->find(name)) return *value;
    }
    if (name == "PATH") return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return std::nullopt;
  };
}

Result<std::string> DockerStages::value_of(const DockerStage& stage, const dockerfile::Word& word) const {
  INGOT_TRY(auto value, dockerfile::expand(word, file_.escape, lookup(stage)));
  INGOT_CHECK(tools_.count(word.place, 0, value.size()));
  return value;
}

Status DockerStages::check_size(const DockerStage& stage, const Place& place) const {
  if (stage.env.bytes() + stage.args.bytes() <= kLargestScope) return {};
  return fail_at(place, ErrorKind::too_large,
                 "the variables of this stage are together larger than " + base::human_bytes(kLargestScope),
                 "put long texts into files, and COPY them");
}

Status DockerStages::add_step(DockerStage& stage, const Instruction& one, graph::Operation operation) {
  INGOT_TRY(stage.step, add(stage.step, std::move(operation), one.text, one.place));
  return {};
}

Result<graph::StepId> DockerStages::add(std::optional<graph::StepId> parent, graph::Operation operation,
                                        const std::string& text, const Place& place) const {
  return tools_.add(parent, std::move(operation), platform_, text, place);
}

Result<graph::StepId> DockerStages::source_step(const std::string& name, const Instruction& one, const Place& place) {
  if (name.find('$') != std::string::npos) {
    return fail_at(place, ErrorKind::invalid, "variables are not known in what files are taken from",
                   "name a stage for it, which may have some: FROM $IMAGE AS tools, above the first FROM an ARG");
  }
  if (auto found = find_stage(name, current_, true)) return *stages_.at(*found).step;
  const auto below = find_stage(name, file_.stages.size(), true);
  if (below || number_of(name)) {
    return fail_at(place, ErrorKind::invalid,
                   fmt::format("stage {} {}", base::printable(name), below ? "is not above this one" : "is not there"),
                   "files are taken from stages that stand above");
  }
  if (name.empty()) {
    return fail_at(place, ErrorKind::syntax, "from= names no stage and no image", "write the name of one behind it");
  }
  INGOT_CHECK(tools_.image(name, request_.platform, place));
  return add(std::nullopt, image_op(name, request_.platform), "FROM " + name + " for " + one.name, place);
}

}  // namespace ingot::earthfile
