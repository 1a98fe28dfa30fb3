#include "daemon/solver/step_secrets.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>

#include "daemon/base/strings.h"

namespace ingot::solver {

namespace {

using base::fail;

std::set<std::string> ids_of(const graph::ExecOp& op) {
  std::set<std::string> ids;
  for (const auto& secret : op.secrets) ids.insert(secret.id);
  for (const auto& mount : op.mounts) {
    if (mount.kind == graph::Mount::Kind::secret) ids.insert(mount.id);
  }
  return ids;
}

// What the kernel passes to a program as one variable.
constexpr std::size_t kLongestVariable = 128U << 10;

Status check_variable(const graph::SecretVariable& wanted, const std::string& value) {
  const char* hint = "read it from a file: RUN --mount=type=secret,id=NAME,target=/run/secrets/NAME";
  if (value.find('\0') != std::string::npos) {
    return fail(ErrorKind::invalid, "the secret \"" + wanted.id + "\" has a zero byte, and cannot be a variable", hint);
  }
  if (!base::is_valid_utf8(value)) {
    return fail(ErrorKind::invalid, "the secret \"" + wanted.id + "\" is no text, and cannot be a variable", hint);
  }
  if (wanted.name.size() + value.size() + 2 > kLongestVariable) {
    return fail(ErrorKind::too_large, "the secret \"" + wanted.id + "\" is too long for a variable", hint);
  }
  return {};
}

}  // namespace

Status give_secrets(const proto::Secrets& secrets, const graph::ExecOp& op, sandbox::StepSpec& spec) {
  for (const auto& wanted : op.secrets) {
    const auto found = secrets.find(wanted.id);
    if (found == secrets.end()) continue;
    INGOT_CHECK(check_variable(wanted, found->second));
    spec.secret_env.emplace_back(wanted.name, found->second);
  }
  for (const auto& mount : op.mounts) {
    if (mount.kind != graph::Mount::Kind::secret) continue;
    const auto found = secrets.find(mount.id);
    if (found == secrets.end()) continue;
    spec.secret_files.push_back({mount.target, found->second, mount.mode.value_or(0400), mount.uid, mount.gid});
  }
  return {};
}

std::string missing_secret(const proto::Secrets& secrets, const graph::ExecOp& op) {
  for (const auto& wanted : op.secrets) {
    if (!secrets.contains(wanted.id)) return wanted.id;
  }
  for (const auto& mount : op.mounts) {
    const bool needed = mount.kind == graph::Mount::Kind::secret && mount.required;
    if (needed && !secrets.contains(mount.id)) return mount.id;
  }
  return {};
}

std::string lost_secret(const std::set<std::string>& lost, const graph::ExecOp& op) {
  for (const auto& id : ids_of(op)) {
    if (lost.contains(id)) return id;
  }
  return {};
}

std::string fingerprint_of(const proto::Secrets& secrets, const graph::ExecOp& op) {
  static const auto kKey = [] {
    std::array<unsigned char, 32> key{};
    RAND_bytes(key.data(), static_cast<int>(key.size()));
    return key;
  }();
  const auto ids = ids_of(op);
  if (ids.empty()) return {};
  std::string text;  // every value with its length, so that no two sets of values are one text
  for (const auto& id : ids) {
    const auto found = secrets.find(id);
    text += id + (found == secrets.end() ? " none;" : " " + std::to_string(found->second.size()) + ":" + found->second);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  HMAC(EVP_sha256(), kKey.data(), static_cast<int>(kKey.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), code.data(), &size);
  return {reinterpret_cast<const char*>(code.data()), size};
}

}  // namespace ingot::solver
