/* Decompression of LZ4 blocks. Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */

#include "varve.h"
#include <string.h>

/* Copies are made in whole chunks where there is room behind them: most are short, and a fixed length is two instructions. */
enum { CHUNK = 16, HALF_CHUNK = 8, MATCH_MIN = 4, LENGTH_MASK = 15 };

/* Adds the bytes of a long length to `length`; false where the input ends, or the length is over `limit`. */
static bool read_length(const uint8_t **source, const uint8_t *source_end, size_t *length, size_t limit) {
  uint8_t byte;
  do {
    if (*source == source_end || *length > limit) return false;
    byte = *(*source)++;
    *length += byte;
  } while (byte == 255);
  return true;
}

/* `from` is before `to` and may overlap it: then what is copied repeats. */
static void copy_match(uint8_t *to, const uint8_t *from, size_t length, size_t room) {
  const size_t distance = (size_t)(to - from);
  const uint8_t *end = to + length;
  if (distance >= CHUNK && room >= length + CHUNK) {
    for (; to < end; to += CHUNK, from += CHUNK) memcpy(to, from, CHUNK);
  } else if (distance >= HALF_CHUNK && room >= length + HALF_CHUNK) {
    for (; to < end; to += HALF_CHUNK, from += HALF_CHUNK) memcpy(to, from, HALF_CHUNK);
  } else {
    while (to < end) *to++ = *from++;
  }
}

/* True where the block is well-formed and fills `target` exactly. Reads and writes nothing outside, whatever it is given. */
bool lz4_decode(const uint8_t *source, size_t source_length, uint8_t *target, size_t target_length) {
  const uint8_t *source_end = source + source_length;
  uint8_t *to = target;
  uint8_t *target_end = target + target_length;
  while (source < source_end) {
    const uint8_t token = *source++;
    size_t literals = token >> 4;
    if (literals == LENGTH_MASK && !read_length(&source, source_end, &literals, target_length)) return false;
    const size_t left = (size_t)(source_end - source);
    const size_t room = (size_t)(target_end - to);
    if (literals > left || literals > room) return false;
    if (literals <= CHUNK && left >= CHUNK && room >= CHUNK) memcpy(to, source, CHUNK);
    else memcpy(to, source, literals);
    source += literals;
    to += literals;
    /* Only literals end a block. */
    if (source == source_end) return to == target_end;
    if (source_end - source < 2) return false;
    const size_t distance = (size_t)source[0] | (size_t)source[1] << 8;
    source += 2;
    size_t match = token & LENGTH_MASK;
    if (match == LENGTH_MASK && !read_length(&source, source_end, &match, target_length)) return false;
    match += MATCH_MIN;
    const size_t match_room = (size_t)(target_end - to);
    if (distance == 0 || distance > (size_t)(to - target) || match > match_room) return false;
    copy_match(to, to - distance, match, match_room);
    to += match;
  }
  return false;
}
