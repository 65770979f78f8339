/** Byte strings: comparison, equality, joining. */

/** What every typed array, of whatever realm, says its kind is: a property of its slots, which no object can pretend. */
const kindOf = Reflect.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined

/** Whether `value` is a `Uint8Array`, of any realm: those of `node:vm`, and so of test runners, are no instances of ours. */
export function isBytes(value: unknown): value is Uint8Array {
  return kindOf.call(value) === 'Uint8Array'
}

/** Bytewise order of `a[aStart…aLimit)` and `b[bStart…bLimit)`: negative, 0 or positive. A prefix sorts first. */
export function compareRange(
  a: Uint8Array,
  aStart: number,
  aLimit: number,
  b: Uint8Array,
  bStart: number,
  bLimit: number,
): number {
  const aLength = aLimit - aStart
  const bLength = bLimit - bStart
  const shared = aLength < bLength ? aLength : bLength
  for (let index = 0; index < shared; index++) {
    const difference = (a[aStart + index] as number) - (b[bStart + index] as number)
    if (difference !== 0) return difference
  }
  return aLength - bLength
}

/** Bytewise order of two whole byte strings. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareRange(a, 0, a.length, b, 0, b.length)
}

/** Whether both have the same length and the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareRange(a, 0, a.length, b, 0, b.length) === 0
}

/** Length of the longest common prefix of two ranges. */
export function sharedPrefixLength(
  a: Uint8Array,
  aStart: number,
  aLimit: number,
  b: Uint8Array,
  bStart: number,
  bLimit: number,
): number {
  const shared = Math.min(aLimit - aStart, bLimit - bStart)
  let index = 0
  while (index < shared && a[aStart + index] === b[bStart + index]) index++
  return index
}

// Up to here a loop copies faster than set(); where the source is a part, set() needs a view of it as well.
const LOOP_WHOLE_BYTES_MAX = 12
const LOOP_PART_BYTES_MAX = 48

/** A copy of [start, limit), whoever made the bytes: `slice` of a Buffer is a view of what its owner may use again. */
export function copyOf(bytes: Uint8Array, start = 0, limit: number = bytes.length): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(start, limit))
}

/** Copies all of `source` to `target` at `targetStart`. */
export function copyBytes(source: Uint8Array, target: Uint8Array, targetStart: number): void {
  const length = source.length
  if (length > LOOP_WHOLE_BYTES_MAX) target.set(source, targetStart)
  else for (let index = 0; index < length; index++) target[targetStart + index] = source[index] as number
}

/** Copies `length` bytes of `source` at `sourceStart` to `target` at `targetStart`. The ranges must not overlap. */
export function copyRange(
  source: Uint8Array,
  sourceStart: number,
  length: number,
  target: Uint8Array,
  targetStart: number,
): void {
  if (length > LOOP_PART_BYTES_MAX) {
    target.set(source.subarray(sourceStart, sourceStart + length), targetStart)
    return
  }
  for (let index = 0; index < length; index++) target[targetStart + index] = source[sourceStart + index] as number
}

/** Up to four bytes from `start`, big-endian and padded with zeros: comparing heads is comparing those bytes. u32. */
export function headOf(bytes: Uint8Array, start: number, limit: number): number {
  const length = limit - start
  if (length >= 4) {
    return (
      (((bytes[start] as number) << 24) |
        ((bytes[start + 1] as number) << 16) |
        ((bytes[start + 2] as number) << 8) |
        (bytes[start + 3] as number)) >>>
      0
    )
  }
  let head = 0
  for (let index = 0; index < 4; index++) head = (head << 8) | (index < length ? (bytes[start + index] as number) : 0)
  return head >>> 0
}

/** One new array with the bytes of all `parts`, in their order. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** The smallest byte string after every string that starts with `prefix`, or undefined where there is none (all 0xff). */
export function prefixLimit(prefix: Uint8Array): Uint8Array | undefined {
  for (let length = prefix.length; length > 0; length--) {
    const last = prefix[length - 1] as number
    if (last !== 0xff) {
      const limit = copyOf(prefix, 0, length)
      limit[length - 1] = last + 1
      return limit
    }
  }
  return undefined
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Two lower-case digits a byte, nothing between them. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte] as string
  return text
}
