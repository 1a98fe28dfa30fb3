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

base::Digest encode(const ImageOp& op, const base::Digest& /*parent*/) {
  Encoder encoder("image");
  encoder.text(op.reference);
  return encoder.finish();
}

base::Digest encode(const ExecOp& op, const base::Digest& parent) {
  Encoder encoder("exec");
  encoder.text(parent.str());
  encoder.text(op.command);
  encoder.text(op.working_dir);
  encoder.text(op.user);
  encoder.flag(op.no_cache);
  Variables env = op.env;
  std::sort(env.begin(), env.end());
  encoder.number(env.size());
  for (const auto& [name, value] : env) {
    encoder.text(name);
    encoder.text(value);
  }
  return encoder.finish();
}

base::Digest encode(const CopyOp& op, const base::Digest& parent) {
  Encoder encoder("copy");
  encoder.text(parent.str());
  encoder.number(op.sources.size());
  for (const auto& source : op.sources) encoder.text(source);
  encoder.text(op.destination);
  for (bool flag : {op.destination_is_directory, op.dir, op.if_exists, op.keep_ts, op.keep_own, op.symlink_no_follow}) {
    encoder.flag(flag);
  }
  encoder.text(op.chown);
  encoder.text(op.chmod ? std::to_string(*op.chmod) : "");
  return encoder.finish();
}

base::Digest encode(const MakeDirectoryOp& op, const base::Digest& parent) {
  Encoder encoder("directory");
  encoder.text(parent.str());
  encoder.text(op.path);
  return encoder.finish();
}

}  // namespace

base::Digest definition(const Operation& operation, const base::Digest& parent) {
  return std::visit([&](const auto& op) { return encode(op, parent); }, operation);
}

}  // namespace ingot::graph
