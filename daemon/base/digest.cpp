#include "daemon/base/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace ingot::base {

namespace {
constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexLength = 64;

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// Looked up once: for a short text that takes longer than to hash it.
const EVP_MD* sha256() {
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kAlgorithm;
}
}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  bool good = text.size() == kPrefix.size() + kHexLength && text.substr(0, kPrefix.size()) == kPrefix &&
              std::all_of(text.begin() + kPrefix.size(), text.end(), is_lower_hex);
  if (!good) {
    return fail(ErrorKind::invalid, "\"" + std::string(text.substr(0, 100)) + "\" is not a digest",
                "a digest is \"sha256:\" and 64 lower-case hex digits");
  }
  Digest digest;
  digest.text_ = text;
  return digest;
}

Digest Digest::of(std::string_view bytes) {
  Hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

std::string Digest::hex() const {
  return text_.empty() ? "" : text_.substr(kPrefix.size());
}

struct Hasher::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() { EVP_DigestInit_ex(evp, sha256(), nullptr); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) {
  update(bytes.data(), bytes.size());
}
void Hasher::update(const void* bytes, std::size_t size) {
  EVP_DigestUpdate(context_->evp, bytes, size);
}

Digest Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  EVP_DigestFinal_ex(context_->evp, raw.data(), &size);
  constexpr char kHex[] = "0123456789abcdef";
  Digest digest;
  digest.text_ = kPrefix;
  for (unsigned i = 0; i < size; ++i) {
    digest.text_ += kHex[raw[i] >> 4U];
    digest.text_ += kHex[raw[i] & 15U];
  }
  return digest;
}

}  // namespace ingot::base
