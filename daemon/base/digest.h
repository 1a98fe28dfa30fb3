#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace ingot::base {

// A SHA-256, always written "sha256:<64 lower-case hex digits>".
class Digest {
 public:
  Digest() = default;  // empty: no digest
  static Result<Digest> parse(std::string_view text);
  static Digest of(std::string_view bytes);

  const std::string& str() const { return text_; }
  std::string hex() const;  // without "sha256:"
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Digest&) const = default;

 private:
  friend class Hasher;
  std::string text_;
};

// Incremental SHA-256 by OpenSSL. One thread at a time.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::string_view bytes);
  void update(const void* bytes, std::size_t size);
  Digest finish();  // at most once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace ingot::base
