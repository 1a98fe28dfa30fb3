#include "daemon/webhook/hook.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "daemon/base/strings.h"

namespace ingot::webhook {

using base::fail;

std::string host_of(const std::string& url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
  std::string host = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  return host.substr(host.rfind('@') + 1);  // npos + 1 is the beginning
}

Status check_hook(const Hook& hook) {
  if (!hook.url.starts_with("https://") && !hook.url.starts_with("http://")) {
    return fail(ErrorKind::invalid, "the `url` of a webhook begins with https:// or http://",
                "such as https://ci.example/hooks/ingot");
  }
  const bool is_one_line = std::none_of(hook.url.begin(), hook.url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\\';
  });
  if (!is_one_line) return fail(ErrorKind::invalid, "the `url` of a webhook has a character that no URL has");
  if (host_of(hook.url).empty()) return fail(ErrorKind::invalid, "the `url` of a webhook names no host");
  for (const auto* file : {&hook.secret_file, &hook.ca_file}) {
    if (!file->empty() && file->front() != '/')
      return fail(ErrorKind::invalid, "\"" + base::printable(*file) + "\" of a webhook is no absolute path");
  }
  return {};
}

Result<std::string> signature(std::string_view secret, std::int64_t time_seconds, std::string_view body) {
  const std::string message = fmt::format("{}.{}", time_seconds, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), raw.data(), &size) == nullptr) {
    return fail(ErrorKind::internal, "OpenSSL does not sign");
  }
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", raw[i]);
  return text;
}

}  // namespace ingot::webhook
