/* XXH32. Algorithm: https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md. */

#include "varve.h"

static const uint32_t PRIME_1 = 0x9e3779b1u;
static const uint32_t PRIME_2 = 0x85ebca77u;
static const uint32_t PRIME_3 = 0xc2b2ae3du;
static const uint32_t PRIME_4 = 0x27d4eb2fu;
static const uint32_t PRIME_5 = 0x165667b1u;

static inline uint32_t rotate(uint32_t value, int bits) {
  return value << bits | value >> (32 - bits);
}

static inline uint32_t accumulate(uint32_t lane, uint32_t input) {
  return rotate(lane + input * PRIME_2, 13) * PRIME_1;
}

uint32_t xxh32(const uint8_t *bytes, size_t length, uint32_t seed) {
  const uint8_t *end = bytes + length;
  uint32_t hash;
  if (length >= 16) {
    uint32_t a = seed + PRIME_1 + PRIME_2, b = seed + PRIME_2, c = seed, d = seed - PRIME_1;
    for (; end - bytes >= 16; bytes += 16) {
      a = accumulate(a, read_u32(bytes));
      b = accumulate(b, read_u32(bytes + 4));
      c = accumulate(c, read_u32(bytes + 8));
      d = accumulate(d, read_u32(bytes + 12));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  } else {
    hash = seed + PRIME_5;
  }
  hash += (uint32_t)length;
  for (; end - bytes >= 4; bytes += 4) hash = rotate(hash + read_u32(bytes) * PRIME_3, 17) * PRIME_4;
  for (; bytes < end; bytes++) hash = rotate(hash + *bytes * PRIME_5, 11) * PRIME_1;
  hash = (hash ^ hash >> 15) * PRIME_2;
  hash = (hash ^ hash >> 13) * PRIME_3;
  return hash ^ hash >> 16;
}
