#include "daemon/earthfile/secret_option.h"

#include <algorithm>
#include <cctype>

#include "daemon/base/strings.h"
#include "daemon/earthfile/interpreter.h"

namespace ingot::earthfile {

namespace {

constexpr std::string_view kOldForm = "+secrets/";

bool is_variable_name(const std::string& text) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

std::string secret_id(const std::string& text) {
  return text.starts_with(kOldForm) ? text.substr(kOldForm.size()) : text;
}

Result<std::optional<graph::SecretVariable>> parse_secret(const Options::Value& option, bool by_name) {
  if (option.text.empty()) return std::nullopt;
  const std::size_t equals = std::min(option.text.find('='), option.text.size());
  graph::SecretVariable secret;
  secret.name = option.text.substr(0, equals);
  secret.id = equals == option.text.size() ? secret.name : secret_id(option.text.substr(equals + 1));
  if (!is_variable_name(secret.name)) {
    return fail_at(option.place, ErrorKind::invalid,
                   "--secret: \"" + base::printable(secret.name) + "\" is no name of a variable",
                   "write --secret NAME=" + base::printable(secret.name));
  }
  if (secret.id.empty()) return std::nullopt;
  if (!by_name && equals < option.text.size() && !option.text.substr(equals + 1).starts_with(kOldForm)) {
    const std::string as_meant = secret.name + "=" + std::string(kOldForm) + base::printable(secret.id);
    return fail_at(option.place, ErrorKind::syntax,
                   "--secret " + base::printable(option.text) + " needs VERSION 0.7, or VERSION --use-project-secrets",
                   "write --secret " + as_meant);
  }
  return secret;
}

}  // namespace ingot::earthfile
