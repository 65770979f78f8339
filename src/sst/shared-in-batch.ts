/** Leading bytes that the adjacent keys [a, b) and [b, limit) have in common, four at a time. */
export function sharedInBatch(keys: Uint8Array, words: DataView, a: number, b: number, limit: number): number {
  const length = b - a < limit - b ? b - a : limit - b
  let shared = 0
  while (shared + 4 <= length && words.getInt32(a + shared, true) === words.getInt32(b + shared, true)) shared += 4
  while (shared < length && keys[a + shared] === keys[b + shared]) shared++
  return shared
}
