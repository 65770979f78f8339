/* XXH64. Algorithm: https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md. */

#include "varve.h"
#include <string.h>

static const uint64_t PRIME_1 = 0x9e3779b185ebca87u;
static const uint64_t PRIME_2 = 0xc2b2ae3d27d4eb4fu;
static const uint64_t PRIME_3 = 0x165667b19e3779f9u;
static const uint64_t PRIME_4 = 0x85ebca77c2b2ae63u;
static const uint64_t PRIME_5 = 0x27d4eb2f165667c5u;

static inline uint64_t rotate(uint64_t value, int bits) {
  return value << bits | value >> (64 - bits);
}

static inline uint64_t word64(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static inline uint64_t accumulate(uint64_t lane, uint64_t input) {
  return rotate(lane + input * PRIME_2, 31) * PRIME_1;
}

static inline uint64_t merge(uint64_t hash, uint64_t lane) {
  return (hash ^ accumulate(0, lane)) * PRIME_1 + PRIME_4;
}

uint64_t xxh64(const uint8_t *bytes, size_t length, uint64_t seed) {
  const uint8_t *end = bytes + length;
  uint64_t hash;
  if (length >= 32) {
    uint64_t a = seed + PRIME_1 + PRIME_2, b = seed + PRIME_2, c = seed, d = seed - PRIME_1;
    for (; end - bytes >= 32; bytes += 32) {
      a = accumulate(a, word64(bytes));
      b = accumulate(b, word64(bytes + 8));
      c = accumulate(c, word64(bytes + 16));
      d = accumulate(d, word64(bytes + 24));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  } else {
    hash = seed + PRIME_5;
  }
  hash += length;
  for (; end - bytes >= 8; bytes += 8) hash = rotate(hash ^ accumulate(0, word64(bytes)), 27) * PRIME_1 + PRIME_4;
  if (end - bytes >= 4) {
    hash = rotate(hash ^ read_u32(bytes) * PRIME_1, 23) * PRIME_2 + PRIME_3;
    bytes += 4;
  }
  for (; bytes < end; bytes++) hash = rotate(hash ^ *bytes * PRIME_5, 11) * PRIME_1;
  hash = (hash ^ hash >> 33) * PRIME_2;
  hash = (hash ^ hash >> 29) * PRIME_3;
  return hash ^ hash >> 32;
}
