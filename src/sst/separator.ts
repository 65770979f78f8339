/** Short keys between two blocks. */

import { copyOf, sharedPrefixLength } from '../kernel/bytes.ts'

/**
 * The shortest easily found key `s` with `last` ≤ `s` < `next`, in bytewise order: what an index needs to tell two blocks
 * apart. `last` itself when nothing shorter is found, or when both are equal (versions of one key in two blocks).
 */
export function shortSeparator(last: Uint8Array, next: Uint8Array): Uint8Array {
  const shared = sharedPrefixLength(last, 0, last.length, next, 0, next.length)
  if (shared === last.length) return last
  // Cut after the first byte that differs and raise it, if that stays below `next`.
  const raised = (last[shared] as number) + 1
  if (
    shared + 1 < last.length &&
    (raised < (next[shared] as number) || (raised === next[shared] && shared + 1 < next.length))
  ) {
    return raisedAt(last, shared)
  }
  // Otherwise keep that byte, which is below `next` already, and raise the first later one that can be.
  for (let index = shared + 1; index + 1 < last.length; index++) {
    if (last[index] !== 0xff) return raisedAt(last, index)
  }
  return last
}

/** `key` up to and with the byte at `index`, which is raised by one. */
function raisedAt(key: Uint8Array, index: number): Uint8Array {
  const separator = copyOf(key, 0, index + 1)
  separator[index] = (separator[index] as number) + 1
  return separator
}
