#include "daemon/graph/definition.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace ingot::graph {

namespace {

// Every field is written with its length, so that no two operations share an encoding.
class Encoder {
 public:
  Encoder() = default;
  explicit Encoder(std::string_view kind) { text(kind); }

  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  void number(std::uint64_t value) {
    std::array<char, 20> digits{};
    bytes_.append(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr);
    bytes_ += ':';
  }
  void flag(bool value) { number(value ? 1 : 0); }
  void encoded(std::string_view bytes) { bytes_ += bytes; }
  base::Digest finish() const { return base::Digest::of(bytes_); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;  // together: to hash many short texts one by one takes longer
};

void encode(Encoder& encoder, const Variables& variables) {
  std::vector<const Variables::value_type*> sorted;
  sorted.reserve(variables.size());
  for (const auto& variable : variables) sorted.push_back(&variable);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return *a < *b; });
  encoder.number(sorted.size());
  for (const auto* variable : sorted) {
    encoder.text(variable->first);
    encoder.text(variable->second);
  }
}

void encode(Encoder& encoder, const SharedVariables& variables) {
  encoder.encoded(variables.encoded([](const Variables& list) {
    Encoder own;
    encode(own, list);
    return own.take();
  }));
}

void encode(Encoder& encoder, const Mount& mount) {
  encoder.number(static_cast<std::uint64_t>(mount.kind));
  encoder.text(mount.target);
  encoder.text(mount.id);
  encoder.number(static_cast<std::uint64_t>(mount.sharing));
  encoder.flag(mount.from.has_value());
  encoder.text(mount.source);
  encoder.text(mount.mode ? std::to_string(*mount.mode) : "");
  if (mount.kind != Mount::Kind::secret && mount.kind != Mount::Kind::ssh) return;
  encoder.text(mount.uid ? std::to_string(*mount.uid) : "");
  encoder.text(mount.gid ? std::to_string(*mount.gid) : "");
  encoder.flag(mount.required);
}

void encode(Encoder& encoder, const std::vector<std::string>& list) {
  encoder.number(list.size());
  for (const auto& one : list) encoder.text(one);
}

void encode(Encoder& encoder, const ImageConfig& config) {
  encode(encoder, config.env);
  encoder.text(config.working_dir);
  encoder.text(config.user);
  for (const auto* list : {&config.entrypoint, &config.cmd, &config.exposed_ports, &config.volumes}) {
    encode(encoder, *list);
  }
  encode(encoder, config.labels);
  encoder.text(config.stop_signal);
  encoder.flag(config.healthcheck.has_value());
  if (!config.healthcheck) return;
  encode(encoder, config.healthcheck->test);
  const auto& check = *config.healthcheck;
  for (auto time : {check.interval_ns, check.timeout_ns, check.start_period_ns}) encoder.text(std::to_string(time));
  encoder.text(std::to_string(check.retries));
  if (check.start_interval_ns != 0) encoder.text("start interval " + std::to_string(check.start_interval_ns));
}

void encode(Encoder& encoder, const LocalPlace& place) {
  encoder.text("locally");
  encoder.text(place.directory);
  encoder.text(place.target);
}

base::Digest encode(const ImageOp& op) {
  Encoder encoder("image");
  encoder.text(op.reference);
  if (!op.platform.empty()) encoder.text(op.platform);
  return encoder.finish();
}

base::Digest encode(const ExecOp& op) {
  Encoder encoder("exec");
  encoder.text(op.command);
  encoder.text(op.working_dir);
  encoder.text(op.user);
  for (bool flag : {op.no_cache, op.privileged, op.no_network}) encoder.flag(flag);
  if (op.asks) encoder.text("asks");
  for (const auto& [name, address] : op.hosts) encoder.text("host " + name + " " + address);
  encode(encoder, op.env);
  encoder.number(op.mounts.size());
  for (const auto& mount : op.mounts) encode(encoder, mount);
  encoder.number(op.secrets.size());
  for (const auto& secret : op.secrets) {
    encoder.text(secret.name);
    encoder.text(secret.id);
  }
  for (const auto& image : op.images) {
    encoder.text(image.name);
    encoder.text(image.target);
    encode(encoder, image.config);
    if (!image.platform.empty()) encoder.text(image.platform);
  }
  if (op.local) encode(encoder, *op.local);
  if (!op.platform.empty()) encoder.text("on " + op.platform);
  return encoder.finish();
}

base::Digest encode(const TakeOp& op) {
  Encoder encoder("take");
  encode(encoder, op.place);
  encoder.text(op.source);
  encoder.flag(op.if_exists);
  return encoder.finish();
}

base::Digest encode(const GiveOp& op) {
  Encoder encoder("give");
  encode(encoder, op.place);
  encoder.text(op.destination);
  encoder.flag(op.dir);
  return encoder.finish();
}

base::Digest encode(const CopyOp& op) {
  Encoder encoder("copy");
  encoder.flag(op.from.has_value());
  encoder.number(op.sources.size());
  for (const auto& source : op.sources) encoder.text(source);
  encoder.text(op.destination);
  for (bool flag : {op.destination_is_directory, op.dir, op.if_exists, op.keep_ts, op.keep_own, op.symlink_no_follow}) {
    encoder.flag(flag);
  }
  encoder.text(op.chown);
  encoder.text(op.chmod ? std::to_string(*op.chmod) : "");
  for (const auto& pattern : op.excluded) encoder.text(pattern);
  return encoder.finish();
}

base::Digest encode(const MakeDirectoryOp& op) {
  Encoder encoder("directory");
  encoder.text(op.path);
  return encoder.finish();
}

base::Digest encode(const WriteFileOp& op) {
  Encoder encoder("file");
  for (const auto* text : {&op.name, &op.destination, &op.content, &op.chown}) encoder.text(*text);
  encoder.flag(op.destination_is_directory);
  encoder.number(op.mode);
  return encoder.finish();
}

base::Digest encode(const GitOp& op) {
  Encoder encoder("git");
  for (const auto* text : {&op.url, &op.commit, &op.tag}) encoder.text(*text);
  return encoder.finish();
}

}  // namespace

base::Digest operation_digest(const Operation& operation) {
  return std::visit([](const auto& op) { return encode(op); }, operation);
}

base::Digest operation_digest(const Step& step) {
  return step.operation_digest ? *step.operation_digest : operation_digest(step.operation);
}

base::Digest definition(const Operation& operation, const std::vector<base::Digest>& inputs) {
  return definition(operation_digest(operation), inputs);
}

base::Digest definition(const base::Digest& operation, const std::vector<base::Digest>& inputs) {
  Encoder encoder("step");
  encoder.text(operation.str());
  encoder.number(inputs.size());
  for (const auto& input : inputs) encoder.text(input.str());
  return encoder.finish();
}

}  // namespace ingot::graph
