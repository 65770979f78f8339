/*
 * Compression to LZ4 blocks. Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * Greedy, as the fast mode of the reference implementation is: a table says where four bytes were seen last, and the longer
 * nothing is found, the larger are the steps.
 */

#include "varve.h"
#include <string.h>

enum {
  MATCH_MIN = 4,
  LENGTH_MASK = 15,
  /* The format: a match begins at least 12 bytes before the end, and the last 5 are literals. */
  MATCH_BEFORE_END = 12,
  LITERALS_LAST = 5,
  DISTANCE_MAX = 65535,
  TABLE_BITS = 12,
  /* After 2^6 positions without a match every second is looked at, after as many again every third. */
  SKIP_SHIFT = 6,
  CHUNK = 8,
};

static uint32_t read32(const uint8_t *bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof(word));
  return word;
}

static uint64_t read64(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof(word));
  return word;
}

/* Knuth's multiplicative hashing. */
static uint32_t slot_of(uint32_t word) { return (word * 2654435761u) >> (32 - TABLE_BITS); }

/* How many bytes from `a` on are those from `b` on, which is behind it; none at or after `end`. */
static size_t same_bytes(const uint8_t *a, const uint8_t *b, const uint8_t *end) {
  const uint8_t *start = b;
  while (end - b >= 8) {
    const uint64_t difference = read64(a) ^ read64(b);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (difference != 0) return (size_t)(b - start) + (size_t)(__builtin_ctzll(difference) >> 3);
#else
    if (difference != 0) return (size_t)(b - start) + (size_t)(__builtin_clzll(difference) >> 3);
#endif
    a += 8;
    b += 8;
  }
  while (b < end && *a == *b) a++, b++;
  return (size_t)(b - start);
}

static uint8_t *write_length(uint8_t *to, size_t length) {
  for (; length >= 255; length -= 255) *to++ = 255;
  *to++ = (uint8_t)length;
  return to;
}

/* What a sequence takes at most, without its match. */
static size_t sequence_room(size_t literals) { return 1 + literals / 255 + 1 + literals + 2; }

/* Bytes written to `target`, or 0 where the block is longer than `room`. */
size_t lz4_encode(const uint8_t *source, size_t length, uint8_t *target, size_t room) {
  uint32_t table[1 << TABLE_BITS];
  const uint8_t *end = source + length;
  const uint8_t *anchor = source;
  uint8_t *to = target;
  uint8_t *target_end = target + room;
  if (length > MATCH_BEFORE_END) {
    memset(table, 0, sizeof(table));
    const uint8_t *search_end = end - MATCH_BEFORE_END;
    const uint8_t *match_end = end - LITERALS_LAST;
    const uint8_t *at = source + 1;
    size_t misses = 1 << SKIP_SHIFT;
    while (at <= search_end) {
      const uint32_t word = read32(at);
      uint32_t *slot = &table[slot_of(word)];
      const uint8_t *match = source + *slot;
      *slot = (uint32_t)(at - source);
      if (at - match > DISTANCE_MAX || read32(match) != word) {
        at += misses++ >> SKIP_SHIFT;
        continue;
      }
      while (at > anchor && match > source && at[-1] == match[-1]) at--, match--;
      const size_t literals = (size_t)(at - anchor);
      const size_t matched = MATCH_MIN + same_bytes(match + MATCH_MIN, at + MATCH_MIN, match_end);
      /* Chunks are written beyond the literals. */
      if (sequence_room(literals) + matched / 255 + 1 + CHUNK > (size_t)(target_end - to)) return 0;
      const size_t extra = matched - MATCH_MIN;
      *to++ = (uint8_t)((literals < LENGTH_MASK ? literals : LENGTH_MASK) << 4 |
                        (extra < LENGTH_MASK ? extra : LENGTH_MASK));
      if (literals >= LENGTH_MASK) to = write_length(to, literals - LENGTH_MASK);
      for (size_t copied = 0; copied < literals; copied += CHUNK) memcpy(to + copied, anchor + copied, CHUNK);
      to += literals;
      const size_t distance = (size_t)(at - match);
      *to++ = (uint8_t)distance;
      *to++ = (uint8_t)(distance >> 8);
      if (extra >= LENGTH_MASK) to = write_length(to, extra - LENGTH_MASK);
      at += matched;
      anchor = at;
      misses = 1 << SKIP_SHIFT;
      /* A position inside of the match, for what repeats with a small offset. */
      if (at <= search_end) table[slot_of(read32(at - 2))] = (uint32_t)(at - 2 - source);
    }
  }
  const size_t literals = (size_t)(end - anchor);
  if (sequence_room(literals) > (size_t)(target_end - to)) return 0;
  *to++ = (uint8_t)((literals < LENGTH_MASK ? literals : LENGTH_MASK) << 4);
  if (literals >= LENGTH_MASK) to = write_length(to, literals - LENGTH_MASK);
  memcpy(to, anchor, literals);
  return (size_t)(to + literals - target);
}
