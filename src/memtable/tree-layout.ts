/**
 * What lies in the arena of a B+tree: records and nodes, in 32-bit words.
 *
 * A record is a key with its first version; a later version of the same key is a record of its own without the key,
 * and becomes the newest. A version's address is that of its `previous` word: one unit into the record for the first.
 *
 *      record   +0  newest     address of the newest version
 *               +1  keyLength  bytes
 *               +2  first version: previous = 0, valueLength, seqnoLow, seqnoHigh and kind
 *               +6  key bytes, then value bytes
 *
 *      version  +0  previous     address of the version before, 0 for none
 *               +1  valueLength  bytes
 *               +2  seqnoLow     seqno modulo 2^32
 *               +3  seqnoHigh    seqno / 2^32 in the low 24 bits, kind in the high 8
 *               +4  value bytes
 *
 * A later version that was loaded began as a record with its key: the value was moved down to where it is here, and what
 * it leaves at the end is lost.
 *
 * A node has room for 128 keys. All keys below it share `prefixLength` bytes; `heads[i]` are the next four of key i
 * (big-endian, padded with zeros, without the last bit), so that a search stays in the node and touches a key only where heads tie. Keys are
 * addresses of records, in leaves and inner nodes alike.
 *
 *      node     +0    count         keys
 *               +1    prefixLength  bytes
 *               +2    next          leaf to the right, 0 at the end (leaves only)
 *               +3    before        leaf to the left, 0 at the end (leaves only)
 *               +4    heads         128 words
 *               +132  records       128 words
 *               +260  children      129 words (inner nodes only): keys below child i are before key i, others not
 *
 * The idea of heads is the "poor man's normalised keys" of Graefe, "Modern B-Tree Techniques" (2011), 3.5; that fences
 * give the prefix is his too (4.2).
 */

export const RECORD_NEWEST = 0
export const RECORD_KEY_LENGTH = 1
export const RECORD_BYTES = 24
/** From a record to its first version, in address units. */
export const FIRST_VERSION_UNITS = 1

export const VERSION_PREVIOUS = 0
export const VERSION_VALUE_LENGTH = 1
export const VERSION_SEQNO_LOW = 2
export const VERSION_SEQNO_HIGH = 3
export const VERSION_BYTES = 16

export const SEQNO_HIGH_MASK = 0xff_ffff
export const KIND_SHIFT = 24
export const TWO_TO_32 = 0x1_0000_0000

export const NODE_KEYS_MAX = 128
export const NODE_COUNT = 0
export const NODE_PREFIX_LENGTH = 1
export const NODE_NEXT = 2
export const NODE_BEFORE = 3
export const NODE_HEADS = 4
export const NODE_RECORDS = NODE_HEADS + NODE_KEYS_MAX
export const NODE_CHILDREN = NODE_RECORDS + NODE_KEYS_MAX
export const LEAF_BYTES = NODE_CHILDREN * 4
export const INNER_BYTES = (NODE_CHILDREN + NODE_KEYS_MAX + 1) * 4
/** Levels at most. Every split leaves one node full or two half full, so 64^10 keys are beyond any arena. */
export const HEIGHT_MAX = 12

/** Writes what a version begins with, at word `at` of its chunk. */
export function writeVersion(
  words: Uint32Array,
  at: number,
  previous: number,
  valueLength: number,
  seqno: number,
  kind: number,
): void {
  words[at + VERSION_PREVIOUS] = previous
  words[at + VERSION_VALUE_LENGTH] = valueLength
  words[at + VERSION_SEQNO_LOW] = seqno
  words[at + VERSION_SEQNO_HIGH] = Math.floor(seqno / TWO_TO_32) | (kind << KIND_SHIFT)
}
