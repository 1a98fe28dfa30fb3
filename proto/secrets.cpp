#include "proto/secrets.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/base64.h"
#include "proto/fields.h"

namespace ingot::proto {

namespace {

tl::unexpected<Error> fail(ErrorKind kind, std::string message, std::string hint = {}) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return tl::unexpected<Error>(std::move(error));
}

bool is_id(const std::string& text) {
  return !text.empty() && text.size() <= kLongestSecretId &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 127 && c != '='; });
}

}  // namespace

bool is_git_credentials(const std::string& id) {
  return id.starts_with(kGitCredentials);
}

GitCredentials git_credentials_of(const std::string& lines) {
  GitCredentials found;
  std::size_t at = 0;
  while (at < lines.size()) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string line = lines.substr(at, end - at);
    const auto value = [&](std::string_view name, std::string& to) {
      if (line.starts_with(name)) to = line.substr(name.size());
    };
    value("username=", found.username);
    value("password=", found.password);
    at = end + 1;
  }
  return found;
}

std::vector<std::string> values_to_hide(const Secrets& secrets) {
  std::vector<std::string> values;
  for (const auto& [id, value] : secrets) {
    values.push_back(is_git_credentials(id) ? git_credentials_of(value).password : value);
  }
  return values;
}

Secrets secrets_for_steps(const Secrets& secrets) {
  Secrets left;
  for (const auto& [id, value] : secrets) {
    if (!is_git_credentials(id)) left.emplace(id, value);
  }
  return left;
}

tl::expected<void, Error> check(const Secrets& secrets) {
  if (secrets.size() > kMostSecrets) {
    return fail(ErrorKind::too_large, "a job has at most " + std::to_string(kMostSecrets) + " secrets");
  }
  std::size_t bytes = 0;
  for (const auto& [id, value] : secrets) {
    if (!is_id(id)) {
      return fail(ErrorKind::invalid, "one of the job's secrets has no proper id",
                  "letters, digits and signs other than \"=\", without blanks, up to 256 of them");
    }
    if (value.size() > kLongestSecret) {
      return fail(ErrorKind::too_large, "the secret " + id + " has more than 256 KiB",
                  "send what is large as a file of the project, encrypted, and its key as the secret");
    }
    bytes += value.size();
  }
  if (bytes <= kMostSecretBytes) return {};
  return fail(ErrorKind::too_large, "the job's secrets together have more than 512 KiB");
}

nlohmann::json secrets_to_json(const Secrets& secrets) {
  auto body = nlohmann::json::object();
  for (const auto& [id, value] : secrets) body[id] = base64_encode(value);
  return body;
}

tl::expected<Secrets, Error> secrets_of_submission(const nlohmann::json& body) {
  Fields fields(body, "a submission");
  std::map<std::string, std::string> encoded;
  fields.read("secrets", encoded);
  if (auto ok = fields.done(); !ok) return tl::unexpected<Error>(ok.error());
  Secrets secrets;
  for (const auto& [id, text] : encoded) {
    auto value = base64_decode(text);
    if (!value) return fail(ErrorKind::invalid, "the value of the secret \"" + id + "\" is no base64");
    secrets[id] = std::move(*value);
  }
  if (auto ok = check(secrets); !ok) return tl::unexpected<Error>(ok.error());
  return secrets;
}

}  // namespace ingot::proto
