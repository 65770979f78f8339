/* XXH64. Algorithm: https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md. */

#include "varve.h"
#include <string.h>

static const uint64_t PRIME_1 = 0x9e3779b185ebca87u;
static const uint64_t PRIME_2 = 0xc2b2ae3d27d4eb4fu;
static const uint64_t PRIME_3 = 0x165667b19e3779f9u;
static const uint64_t PRIME_4 = 0x85ebca77c2b2ae63u;
static const uint64_t PRIME_5 = 0x27d4eb2f165667c5u;

enum { STRIPE = 32 };

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

static inline void begin(uint64_t lanes[4], uint64_t seed) {
  lanes[0] = seed + PRIME_1 + PRIME_2;
  lanes[1] = seed + PRIME_2;
  lanes[2] = seed;
  lanes[3] = seed - PRIME_1;
}

/* Takes whole stripes and returns where they end. */
static inline const uint8_t *take_stripes(uint64_t lanes[4], const uint8_t *bytes, const uint8_t *end) {
  uint64_t a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
  for (; end - bytes >= STRIPE; bytes += STRIPE) {
    a = accumulate(a, word64(bytes));
    b = accumulate(b, word64(bytes + 8));
    c = accumulate(c, word64(bytes + 16));
    d = accumulate(d, word64(bytes + 24));
  }
  lanes[0] = a;
  lanes[1] = b;
  lanes[2] = c;
  lanes[3] = d;
  return bytes;
}

static inline uint64_t joined(const uint64_t lanes[4]) {
  uint64_t hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
  return merge(merge(merge(merge(hash, lanes[0]), lanes[1]), lanes[2]), lanes[3]);
}

/* With what is behind the last stripe. */
static uint64_t finish(uint64_t hash, const uint8_t *bytes, const uint8_t *end) {
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

uint64_t xxh64(const uint8_t *bytes, size_t length, uint64_t seed) {
  const uint8_t *end = bytes + length;
  if (length < STRIPE) return finish(seed + PRIME_5 + length, bytes, end);
  uint64_t lanes[4];
  begin(lanes, seed);
  bytes = take_stripes(lanes, bytes, end);
  return finish(joined(lanes) + length, bytes, end);
}

void xxh64_begin(struct xxh64_state *state, uint64_t seed) {
  memset(state, 0, sizeof(*state));
  begin(state->lanes, seed);
  state->seed = seed;
}

void xxh64_update(struct xxh64_state *state, const uint8_t *bytes, size_t length) {
  size_t begun = state->length % STRIPE;
  state->length += length;
  if (begun > 0) {
    size_t missing = STRIPE - begun;
    if (length < missing) {
      memcpy(state->rest + begun, bytes, length);
      return;
    }
    memcpy(state->rest + begun, bytes, missing);
    take_stripes(state->lanes, state->rest, state->rest + STRIPE);
    bytes += missing;
    length -= missing;
  }
  const uint8_t *end = bytes + length;
  bytes = take_stripes(state->lanes, bytes, end);
  memcpy(state->rest, bytes, (size_t)(end - bytes));
}

uint64_t xxh64_end(const struct xxh64_state *state) {
  uint64_t hash = state->length < STRIPE ? state->seed + PRIME_5 : joined(state->lanes);
  return finish(hash + state->length, state->rest, state->rest + state->length % STRIPE);
}
