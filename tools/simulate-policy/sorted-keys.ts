/**
 * Sorted keys: what a simulated table holds. A key is a number below 2^31, and one bit tells whether it is deleted:
 *
 *      code = key × 2 + (deleted ? 1 : 0)
 *
 * so that an array of codes in which every key is there once is in the order of keys. Simulating with real keys costs
 * little more than estimating overlaps and is right for every distribution.
 */

export type SortedKeys = Uint32Array

export function keyCode(key: number, deleted: boolean): number {
  return key * 2 + (deleted ? 1 : 0)
}

/** The last code of each key among `codes`, in order. */
export function sortLatest(codes: Uint32Array): SortedKeys {
  // Key and position in one number below 2^53, so that sorting needs no comparator.
  const tagged = Float64Array.from(codes, (code, index) => (code >>> 1) * 2 ** 22 + index).sort()
  const sorted = new Uint32Array(codes.length)
  let count = 0
  for (let at = 0; at < tagged.length; at++) {
    const key = Math.floor((tagged[at] as number) / 2 ** 22)
    const next = at + 1 < tagged.length ? Math.floor((tagged[at + 1] as number) / 2 ** 22) : -1
    if (key !== next) sorted[count++] = codes[(tagged[at] as number) % 2 ** 22] as number
  }
  return sorted.slice(0, count)
}

/** Runs, newest first, as one; of a key that several have, the newest. */
export function mergeRuns(runs: readonly SortedKeys[], dropDeleted: boolean): SortedKeys {
  let merged = runs
  while (merged.length > 1) {
    const pairs: SortedKeys[] = []
    for (let at = 0; at < merged.length; at += 2) {
      const [newer, older] = [merged[at] as SortedKeys, merged[at + 1]]
      pairs.push(older === undefined ? newer : mergeTwo(newer, older))
    }
    merged = pairs
  }
  const [all = new Uint32Array(0)] = merged
  return dropDeleted ? all.filter((code) => (code & 1) === 0) : all
}

function mergeTwo(newer: SortedKeys, older: SortedKeys): SortedKeys {
  const merged = new Uint32Array(newer.length + older.length)
  let [a, b, count] = [0, 0, 0]
  while (a < newer.length && b < older.length) {
    const [left, right] = [newer[a] as number, older[b] as number]
    if (left >>> 1 <= right >>> 1) {
      merged[count++] = left
      a++
      if (left >>> 1 === right >>> 1) b++
    } else {
      merged[count++] = right
      b++
    }
  }
  merged.set(newer.subarray(a), count)
  count += newer.length - a
  merged.set(older.subarray(b), count)
  return merged.subarray(0, count + older.length - b)
}

/** Disjoint runs, in order, as one. */
export function concatenate(parts: readonly SortedKeys[]): SortedKeys {
  const whole = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
