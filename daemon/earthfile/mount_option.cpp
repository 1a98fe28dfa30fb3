#include "daemon/earthfile/mount_option.h"

#include <charconv>
#include <map>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/paths.h"

namespace ingot::earthfile {

namespace {

constexpr const char* kForm = "--mount=type=cache,target=/path";

// "a=b,c=d" with what it has; a key without "=" is "true".
Result<std::map<std::string, std::string>> fields_of(const Options::Value& option) {
  std::map<std::string, std::string> fields;
  for (const auto& part : base::split(option.text, ',')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    std::string name = part.substr(0, equals);
    if (name == "dst" || name == "destination") name = "target";
    if (name == "chmod") name = "mode";
    if (!fields.emplace(name, equals < part.size() ? part.substr(equals + 1) : "true").second) {
      return fail_at(option.place, ErrorKind::syntax, "--mount has " + name + " twice", kForm);
    }
  }
  return fields;
}

Result<graph::Mount::Kind> parse_kind(const std::string& type, const Place& place) {
  if (type == "cache") return graph::Mount::Kind::cache;
  if (type == "tmpfs") return graph::Mount::Kind::tmpfs;
  if (type == "secret" || type.starts_with("bind") || type.starts_with("ssh")) {
    return fail_at(place, ErrorKind::unsupported,
                   "--mount=type=" + type + " is not understood by this version of Ingot",
                   type == "secret" ? "COPY a file that holds it, in a target whose result you keep to yourself"
                                    : "COPY what the command needs");
  }
  return fail_at(place, ErrorKind::invalid, "--mount of type \"" + base::printable(type) + "\"",
                 "the types are cache and tmpfs");
}

}  // namespace

Result<graph::Mount::Sharing> parse_sharing(const std::string& text, const Place& place) {
  if (text == "shared") return graph::Mount::Sharing::shared;
  if (text == "private") return graph::Mount::Sharing::private_;
  if (text == "locked") return graph::Mount::Sharing::locked;
  return fail_at(place, ErrorKind::invalid, "a cache is not shared as \"" + base::printable(text) + "\"",
                 "shared, private or locked");
}

Result<unsigned> parse_mode(const std::string& text, const Place& place, const std::string& flag) {
  unsigned mode = 0;
  const char* end = text.data() + text.size();
  auto [stopped, error] = std::from_chars(text.data(), end, mode, 8);
  if (error == std::errc() && stopped == end && mode <= 07777) return mode;
  return fail_at(place, ErrorKind::invalid, flag + " takes an octal mode, not \"" + base::printable(text) + "\"",
                 "such as " + flag + "=0755");
}

Result<graph::Mount> parse_mount(const Options::Value& option, const std::string& target,
                                 const std::string& working_dir) {
  INGOT_TRY(auto fields, fields_of(option));
  const auto take = [&](const char* name) {
    auto node = fields.extract(name);
    return node.empty() ? std::string() : node.mapped();
  };
  graph::Mount mount;
  const std::string type = take("type");
  if (type.empty()) return fail_at(option.place, ErrorKind::syntax, "--mount needs a type", kForm);
  INGOT_TRY(mount.kind, parse_kind(type, option.place));
  const std::string path = take("target");
  if (path.empty()) return fail_at(option.place, ErrorKind::syntax, "--mount needs a target", kForm);
  mount.target = absolute(working_dir, path);
  mount.id = take("id");
  if (mount.id.empty() && mount.kind == graph::Mount::Kind::cache) mount.id = target + " " + mount.target;
  if (auto sharing = take("sharing"); !sharing.empty()) {
    INGOT_TRY(mount.sharing, parse_sharing(sharing, option.place));
  }
  if (auto mode = take("mode"); !mode.empty()) {
    INGOT_TRY(mount.mode, parse_mode(mode, option.place, "mode"));
  }
  if (fields.empty()) return mount;
  return fail_at(option.place, ErrorKind::syntax, "--mount has no \"" + base::printable(fields.begin()->first) + "\"",
                 base::did_you_mean(fields.begin()->first, {"type", "target", "id", "sharing", "mode"}));
}

}  // namespace ingot::earthfile
