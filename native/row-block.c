/*
 * A stored block of a row table, checked, decompressed and unpacked in one go: what sst/block-codec.ts and sst/packed-block.ts
 * do, for blocks as nearly all are. Format: docs/formats/row-table.md.
 *
 * Refuses whatever is damaged, and what is rare (tags of more than four bytes): then JavaScript does it, and says what is
 * wrong. Reads and writes nothing outside what it is given, whatever is in it.
 */

#include "varve.h"
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 4, HEADER_BYTES = 20, WIDE_BYTES = 0x10000, KINDS_VARY = 16, TAG_PLANES_MAX = 3, SCRATCH_BYTES = 4096 };
static const uint64_t SAFE_INTEGER_MAX = (1ull << 53) - 1;

struct columns {
  const uint8_t *bytes;
  size_t limit;
  size_t at;
  bool broken;
};

static uint64_t take_varint(struct columns *columns) {
  uint64_t value = 0;
  for (int shift = 0; shift < 56 && columns->at < columns->limit; shift += 7) {
    const uint8_t byte = columns->bytes[columns->at++];
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) {
      if (value > SAFE_INTEGER_MAX) break;
      return value;
    }
  }
  columns->broken = true;
  return 0;
}

static unsigned take_byte(struct columns *columns) {
  if (columns->at < columns->limit) return columns->bytes[columns->at++];
  columns->broken = true;
  return 0;
}

static inline uint32_t length_at(const uint8_t *lengths, unsigned bytes, size_t index) {
  if (bytes == 1) return lengths[index];
  if (bytes == 2) return (uint32_t)lengths[index * 2] | (uint32_t)lengths[index * 2 + 1] << 8;
  return read_u32(lengths + index * 4);
}

/* What of a suffix is not in its head. */
static inline uint32_t rest_of(uint32_t suffix) {
  return suffix > 4 ? suffix - 4 : 0;
}

static inline uint8_t pad_bits(uint32_t suffix) {
  return suffix < 4 ? (uint8_t)((4 - suffix) * 16) : 0;
}

static inline void write_offset(uint8_t *offsets, size_t index, uint32_t offset, bool wide) {
  if (wide) write_u32(offsets + index * 4, offset);
  else {
    offsets[index * 2] = (uint8_t)offset;
    offsets[index * 2 + 1] = (uint8_t)(offset >> 8);
  }
}

/* `packed` is the end of `block`, and all but its columns may be; `columns` are elsewhere. */
static bool unpack(const uint8_t *columns_bytes, size_t limit, uint8_t *block, size_t length) {
  struct columns columns = {columns_bytes, limit, 0, false};
  const uint64_t count = take_varint(&columns);
  const uint64_t prefix = take_varint(&columns);
  const uint64_t seqno_base = take_varint(&columns);
  const unsigned shape = take_byte(&columns);
  const unsigned planes = take_byte(&columns);
  const bool kinds_vary = (shape & KINDS_VARY) != 0;
  const unsigned suffix_code = shape & 3, value_code = shape >> 2 & 3;
  const unsigned suffix_bytes = suffix_code == 3 ? 4 : suffix_code, value_bytes = value_code == 3 ? 4 : value_code;
  const uint64_t suffix_same = suffix_bytes == 0 ? take_varint(&columns) : 0;
  const uint64_t value_same = value_bytes == 0 ? take_varint(&columns) : 0;
  const unsigned kind_same = kinds_vary ? 0 : take_byte(&columns);
  if (columns.broken || shape >= KINDS_VARY * 2 || planes > TAG_PLANES_MAX || kind_same >= 16) return false;
  /* Every entry has a head: this bounds all that is multiplied below. */
  if (count < 1 || count > limit / 4 || prefix > limit || suffix_same > limit || value_same > limit) return false;
  const size_t suffixes = columns.at;
  const size_t values = suffixes + count * suffix_bytes;
  const size_t tag_planes = values + count * value_bytes;
  const size_t heads = tag_planes + count * planes;
  const size_t content = heads + count * 4;
  if (content + prefix > limit) return false;
  uint64_t rest_total = 0, value_total = 0;
  if (suffix_bytes == 0) rest_total = count * rest_of((uint32_t)suffix_same);
  else for (size_t index = 0; index < count; index++) rest_total += rest_of(length_at(columns.bytes + suffixes, suffix_bytes, index));
  if (value_bytes == 0) value_total = count * value_same;
  else for (size_t index = 0; index < count; index++) value_total += length_at(columns.bytes + values, value_bytes, index);
  if (content + prefix + rest_total + value_total != limit) return false;
  const size_t tag_bytes = planes == 0 ? 1 : 4;
  const size_t fixed = HEADER_BYTES + count * (4 + tag_bytes) + limit - content;
  const bool wide = fixed + (count + 1) * 4 >= WIDE_BYTES;
  const size_t offset_bytes = wide ? 4 : 2;
  if (fixed + (count + 1) * offset_bytes * 2 != length) return false;

  uint8_t *to = block;
  write_u32(to, (uint32_t)count);
  write_u32(to + 4, (uint32_t)prefix);
  write_u32(to + 8, (uint32_t)seqno_base);
  write_u32(to + 12, (uint32_t)(seqno_base >> 32));
  /* Which columns have the same for every entry: src/sst/row-block.ts. */
  const bool same_tags = planes == 0 && suffix_bytes == 0;
  const uint32_t same = (suffix_bytes == 0 ? 1 : 0) | (value_bytes == 0 ? 2 : 0) | (same_tags ? 4 : 0);
  write_u32(to + 16, (uint32_t)tag_bytes | same << 8);
  to += HEADER_BYTES;
  const uint8_t *plane = columns.bytes + heads;
  uint8_t a = 0, b = 0, c = 0, d = 0;
  for (size_t index = 0; index < count; index++, to += 4) {
    a += plane[index];
    b += plane[index + count];
    c += plane[index + count * 2];
    d += plane[index + count * 3];
    to[0] = d, to[1] = c, to[2] = b, to[3] = a;
  }
  uint32_t offset = 0;
  for (size_t index = 0; index < count; index++) {
    write_offset(to, index, offset, wide);
    offset += rest_of(suffix_bytes == 0 ? (uint32_t)suffix_same : length_at(columns.bytes + suffixes, suffix_bytes, index));
  }
  write_offset(to, count, offset, wide);
  to += (count + 1) * offset_bytes;
  offset = 0;
  for (size_t index = 0; index < count; index++) {
    write_offset(to, index, offset, wide);
    offset += value_bytes == 0 ? (uint32_t)value_same : length_at(columns.bytes + values, value_bytes, index);
  }
  write_offset(to, count, offset, wide);
  to += (count + 1) * offset_bytes;
  plane = columns.bytes + tag_planes;
  uint8_t low = 0, middle = 0, high = 0;
  for (size_t index = 0; index < count; index++, to += tag_bytes) {
    const uint32_t suffix = suffix_bytes == 0 ? (uint32_t)suffix_same : length_at(columns.bytes + suffixes, suffix_bytes, index);
    const uint32_t least = pad_bits(suffix) + kind_same;
    if (planes == 0) {
      *to = (uint8_t)least;
      continue;
    }
    low += plane[index];
    if (planes > 1) middle += plane[index + count];
    if (planes > 2) high += plane[index + count * 2];
    const uint32_t found = (uint32_t)low | (uint32_t)middle << 8 | (uint32_t)high << 16;
    const uint32_t tag = kinds_vary ? found >> 4 << 7 | (found & 15) : found << 7;
    write_u32(to, tag | least);
  }
  return true;
}

/* Where the columns of the packed block end: no more than this of it is overwritten before it is read. */
static size_t columns_limit(const uint8_t *packed, size_t limit) {
  struct columns columns = {packed, limit, 0, false};
  const uint64_t count = take_varint(&columns);
  /* Beside them, at most: five numbers of eight bytes and three single bytes. */
  if (columns.broken || count > limit) return limit;
  const uint64_t most = columns.at + 35 + count * (4 + 4 + TAG_PLANES_MAX + 4);
  return most < limit ? (size_t)most : limit;
}

bool row_block_decode(const uint8_t *stored, size_t stored_length, uint64_t seed, uint64_t checksum, uint8_t *block,
                      size_t length) {
  if (stored_length <= LENGTH_BYTES || xxh64(stored, stored_length, seed) != checksum) return false;
  const size_t limit = read_u32(stored);
  if (limit == 0 || limit > length) return false;
  uint8_t *packed = block + length - limit;
  const uint8_t *source = stored + LENGTH_BYTES;
  if (limit != stored_length - LENGTH_BYTES) {
    if (!lz4_decode(source, stored_length - LENGTH_BYTES, packed, limit)) return false;
  } else if (packed != source) {
    memmove(packed, source, limit);
  }
  /* What becomes header and columns lies over the packed ones. */
  uint8_t on_stack[SCRATCH_BYTES];
  const size_t most = columns_limit(packed, limit);
  uint8_t *scratch = most <= sizeof(on_stack) ? on_stack : malloc(most);
  if (scratch == NULL) return false;
  memcpy(scratch, packed, most);
  const bool done = unpack(scratch, limit, block, length);
  if (scratch != on_stack) free(scratch);
  return done;
}
