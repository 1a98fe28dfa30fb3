#include "daemon/earthfile/mount_option.h"

#include <charconv>
#include <map>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/paths.h"
#include "daemon/earthfile/secret_option.h"

namespace ingot::earthfile {

namespace {

constexpr const char* kAgentSocket = "/run/buildkit/ssh_agent.0";
constexpr const char* kMountForm = "--mount=type=cache,target=/path";
using Fields = std::map<std::string, std::string>;
using Kind = graph::Mount::Kind;

// "a=b,c=d" with what it has; a key without "=" is "true".
Result<Fields> fields_of(const Options::Value& option) {
  Fields fields;
  for (const auto& part : base::split(option.text, ',')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    std::string name = part.substr(0, equals);
    if (name == "dst" || name == "destination") name = "target";
    if (name == "chmod") name = "mode";
    if (name == "src") name = "source";
    if (name == "readonly") name = "ro";
    if (!fields.emplace(name, equals < part.size() ? part.substr(equals + 1) : "true").second) {
      return fail_at(option.place, ErrorKind::syntax, "--mount has " + name + " twice", kMountForm);
    }
  }
  return fields;
}

Result<graph::Mount::Kind> parse_kind(const std::string& type, const Place& place) {
  if (type == "cache") return graph::Mount::Kind::cache;
  if (type == "tmpfs") return graph::Mount::Kind::tmpfs;
  if (type == "secret") return graph::Mount::Kind::secret;
  if (type == "bind" || type == "bind-experimental") return graph::Mount::Kind::bind;
  if (type == "ssh" || type == "ssh-experimental") return Kind::ssh;
  return fail_at(place, ErrorKind::invalid, "--mount of type \"" + base::printable(type) + "\"",
                 "the types are cache, tmpfs, secret, ssh and bind");
}

std::string take(Fields& fields, const char* name) {
  auto node = fields.extract(name);
  return node.empty() ? std::string() : node.mapped();
}

Status parse_owner(Fields& fields, const char* name, const Place& place, std::optional<std::uint32_t>& owner) {
  const std::string text = take(fields, name);
  if (text.empty()) return {};
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) {
    return fail_at(place, ErrorKind::invalid,
                   std::string("--mount: ") + name + " takes a number, not \"" + base::printable(text) + "\"",
                   std::string("such as ") + name + "=1000");
  }
  owner = number;
  return {};
}

// What a secret has, and the socket of an agent.
Status parse_file_fields(Fields& fields, const Place& place, const char* otherwise, graph::Mount& mount) {
  INGOT_CHECK(parse_owner(fields, "uid", place, mount.uid));
  INGOT_CHECK(parse_owner(fields, "gid", place, mount.gid));
  const std::string required = take(fields, "required");
  if (!required.empty() && required != "true" && required != "false") {
    return fail_at(place, ErrorKind::invalid,
                   "--mount: required is true or false, not \"" + base::printable(required) + "\"", otherwise);
  }
  mount.required = required != "false";
  return {};
}

// What only a secret has. Without an id it is called like its file, without a target its file like its id.
Status parse_secret_fields(Fields& fields, const Place& place, std::string& path, graph::Mount& mount) {
  mount.id = secret_id(mount.id);
  if (mount.id.empty()) mount.id = base_name(path);
  if (mount.id.empty()) {
    return fail_at(place, ErrorKind::syntax, "--mount needs the id of a secret", "--mount=type=secret,id=NAME");
  }
  if (path.empty()) path = "/run/secrets/" + base_name(mount.id);
  return parse_file_fields(fields, place, "with required=false there is no file where the secret is not given", mount);
}

// What only a bind has.
void parse_bind_fields(Fields& fields, MountOption& option) {
  option.from = take(fields, "from");
  const std::string source = take(fields, "source");
  if (!source.empty()) option.mount.source = absolute("/", source);
  take(fields, "ro");
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

graph::Mount agent_mount() {
  graph::Mount mount;
  mount.kind = Kind::ssh;
  mount.target = kAgentSocket;
  return mount;
}

Result<MountOption> parse_mount(const Options::Value& option, const std::string& target,
                                const std::string& working_dir) {
  INGOT_TRY(auto fields, fields_of(option));
  MountOption made;
  graph::Mount& mount = made.mount;
  const std::string type = take(fields, "type");
  if (type.empty()) return fail_at(option.place, ErrorKind::syntax, "--mount needs a type", kMountForm);
  INGOT_TRY(mount.kind, parse_kind(type, option.place));
  std::string path = take(fields, "target");
  mount.id = take(fields, "id");
  if (mount.kind == Kind::secret) INGOT_CHECK(parse_secret_fields(fields, option.place, path, mount));
  if (mount.kind == Kind::bind) parse_bind_fields(fields, made);
  if (mount.kind == Kind::ssh) {
    INGOT_CHECK(
        parse_file_fields(fields, option.place, "with required=false the step runs without an agent, too", mount));
    mount.id.clear();  // whoever builds has one agent, whatever a recipe calls it
    if (path.empty()) path = kAgentSocket;
  }
  if (path.empty()) return fail_at(option.place, ErrorKind::syntax, "--mount needs a target", kMountForm);
  mount.target = absolute(working_dir, path);
  if (mount.id.empty() && mount.kind == Kind::cache) mount.id = target + " " + mount.target;
  if (auto sharing = take(fields, "sharing"); !sharing.empty()) {
    INGOT_TRY(mount.sharing, parse_sharing(sharing, option.place));
  }
  if (mount.kind != Kind::bind) {
    if (auto mode = take(fields, "mode"); !mode.empty()) {
      INGOT_TRY(mount.mode, parse_mode(mode, option.place, "mode"));
    }
  }
  if (fields.empty()) return made;
  const std::string& unknown = fields.begin()->first;
  return fail_at(option.place, ErrorKind::syntax,
                 "--mount=type=" + type + " has no \"" + base::printable(unknown) + "\"",
                 base::did_you_mean(
                     unknown, {"type", "target", "id", "sharing", "mode", "source", "from", "uid", "gid", "required"}));
}

}  // namespace ingot::earthfile
