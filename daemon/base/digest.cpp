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

constexpr std::size_t kRawSize = 32;

std::string written(const std::array<unsigned char, kRawSize>& raw) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text(kPrefix.size() + kHexLength, '\0');
  auto next = std::copy(kPrefix.begin(), kPrefix.end(), text.begin());
  for (const unsigned char byte : raw) {
    *next++ = kHex[byte >> 4U];
    *next++ = kHex[byte & 15U];
  }
  return text;
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

// Of many short texts: a thread keeps what it hashes with, since making that takes longer than hashing.
Digest Digest::of(std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, kRawSize> raw{};
  EVP_DigestInit_ex(context.get(), sha256(), nullptr);
  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  EVP_DigestFinal_ex(context.get(), raw.data(), nullptr);
  Digest digest;
  digest.text_ = written(raw);
  return digest;
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
  std::array<unsigned char, kRawSize> raw{};
  EVP_DigestFinal_ex(context_->evp, raw.data(), nullptr);
  Digest digest;
  digest.text_ = written(raw);
  return digest;
}

}  // namespace ingot::base
