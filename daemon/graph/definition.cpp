#include "daemon/graph/definition.h"

#include <algorithm>

namespace ingot::graph {

namespace {

// Every field is written with its length, so that no two operations share an encoding.
class Encoder {
 public:
  explicit Encoder(std::string_view kind) { text(kind); }

  void text(std::string_view value) {
    number(value.size());
    hasher_.update(value);
  }
  void number(std::uint64_t value) { hasher_.update(std::to_string(value) + ":"); }
  void flag(bool value) { number(value ? 1 : 0); }
  base::Digest finish() { return hasher_.finish(); }

 private:
  base::Hasher hasher_;
};

void encode(Encoder& encoder, const Variables& variables) {
  Variables sorted = variables;
  std::sort(sorted.begin(), sorted.end());
  encoder.number(sorted.size());
  for (const auto& [name, value] : sorted) {
    encoder.text(name);
    encoder.text(value);
  }
}

void encode(Encoder& encoder, const Mount& mount) {
  encoder.number(static_cast<std::uint64_t>(mount.kind));
  encoder.text(mount.target);
  encoder.text(mount.id);
  encoder.number(static_cast<std::uint64_t>(mount.sharing));
  encoder.flag(mount.from.has_value());
  encoder.text(mount.source);
  encoder.text(mount.mode ? std::to_string(*mount.mode) : "");
  if (mount.kind != Mount::Kind::secret) return;
  encoder.text(mount.uid ? std::to_string(*mount.uid) : "");
  encoder.text(mount.gid ? std::to_string(*mount.gid) : "");
  encoder.flag(mount.required);
}

base::Digest encode(const ImageOp& op) {
  Encoder encoder("image");
  encoder.text(op.reference);
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

}  // namespace

base::Digest operation_digest(const Operation& operation) {
  return std::visit([](const auto& op) { return encode(op); }, operation);
}

base::Digest definition(const Operation& operation, const std::vector<base::Digest>& inputs) {
  Encoder encoder("step");
  encoder.text(operation_digest(operation).str());
  encoder.number(inputs.size());
  for (const auto& input : inputs) encoder.text(input.str());
  return encoder.finish();
}

}  // namespace ingot::graph
