#include "daemon/base/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <new>

namespace ingot::base {

struct Checksum::State {
  XXH3_state_t* xxh = XXH3_createState();
};

void Checksum::Free::operator()(State* state) const {
  XXH3_freeState(state->xxh);
  delete state;
}

Checksum::Checksum() : state_(new State) {
  if (state_->xxh == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(state_->xxh);
}

void Checksum::update(std::string_view bytes) {
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}

std::string Checksum::finish() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  return fmt::format("xxh128:{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace ingot::base
