#include "daemon/edge/check_custom_config.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "daemon/base/strings.h"
#include "daemon/edge/document_check.h"
#include "proto/base64.h"

namespace ingot::edge {

namespace {

constexpr const char* kHowToMake = "openssl rsa -in KEY -pubout | base64 -w0";

// What is wrong with it; empty: nothing.
std::string fault_of(const std::string& given) {
  if (given.find("-----BEGIN") != std::string::npos) return "is the PEM itself, and has to be in base64";
  const auto pem = proto::base64_decode(given);
  if (!pem || pem->find("-----BEGIN") == std::string::npos) return "is no PEM in base64";
  if (pem->find("PRIVATE KEY-----") != std::string::npos) return "is a private key, which every host would have";
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())),
                                                        &BIO_free);
  std::string passphrase;  // given, so that nobody is asked for one
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PUBKEY(bytes.get(), nullptr, nullptr, passphrase.data()), &EVP_PKEY_free);
  if (!key) return "is no public key";
  return EVP_PKEY_is_a(key.get(), "RSA") == 1 ? "" : "is a public key, but none of RSA";
}

}  // namespace

Findings check_custom_config(std::string_view text, const std::string& file_name) {
  if (auto error = too_large(text, file_name, "such file", "it has a public key")) return {{*std::move(error)}, {}};
  const text::Source source(text, file_name);
  DocumentCheck check(source);
  const auto root = check.check(custom_config_schema(), "content.signing.publicKey");
  if (!root) return check.take();
  YAML::Node at = *root;
  for (const char* name : {"content", "signing", "publicKey", "base64EncodedValue"}) {
    if (at.IsMap()) at.reset(at[name]);
    if (!at.IsDefined() || at.IsNull()) return check.take();
  }
  if (!at.IsScalar()) return check.take();
  std::string given = at.Scalar();
  std::erase_if(given, [](char c) { return std::string_view(" \t\r\n").find(c) != std::string_view::npos; });
  const std::string fault = fault_of(given);
  if (!fault.empty()) check.complain(at.Mark(), "content.signing.publicKey.base64EncodedValue " + fault, kHowToMake);
  return check.take();
}

}  // namespace ingot::edge
