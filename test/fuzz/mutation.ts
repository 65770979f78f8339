/**
 * Changes to encoded bytes, as data: a case can be printed, repeated, and cut down one change at a time.
 *
 * What a change touches is counted modulo what there is, so that it means something after others were left out.
 */

import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import { HOSTILE } from './hostile-bytes.ts'

/** A stored thing, taken apart where that lets changes reach further; one piece where it is not. */
export type Pieces = readonly Uint8Array[]

const KINDS = [
  'bit',
  'byte',
  'add',
  'word',
  'varint',
  'insert',
  'remove',
  'cut',
  'repeat',
  'overwrite',
  'splice',
  'hostile',
] as const

export interface Mutation {
  readonly kind: (typeof KINDS)[number]
  readonly piece: number
  readonly at: number
  readonly from: number
  readonly length: number
  readonly value: number
}

/** Edges of integers: what bounds, signs and doubles get wrong. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
]

export function randomMutations(random: SeededRandom): readonly Mutation[] {
  const count = random.once(8) ? 5 + random.below(12) : 1 + random.below(4)
  return Array.from({ length: count }, () => ({
    // Whole replacements hide what else was changed: rarely.
    kind: random.once(400) ? 'hostile' : (KINDS[random.below(KINDS.length - 1)] as Mutation['kind']),
    piece: random.u32(),
    at: placeOf(random),
    from: random.u32(),
    length: random.once(10) ? 1 + random.below(5000) : 1 + random.below(16),
    value: random.u32(),
  }))
}

/** Headers and footers decide more than what is between them: negative places count from the end. */
function placeOf(random: SeededRandom): number {
  const choice = random.below(4)
  if (choice === 0) return random.below(48)
  return choice === 1 ? -1 - random.below(160) : random.u32()
}

/** @param corpus whatever else may be spliced in */
export function mutate(pieces: Pieces, mutations: readonly Mutation[], corpus: readonly Uint8Array[]): Pieces {
  const mutated = [...pieces]
  for (const mutation of mutations) {
    const index = mutation.piece % mutated.length
    mutated[index] = mutateOne(mutated[index] as Uint8Array, mutation, corpus)
  }
  return mutated
}

// What grows by repetition must not outgrow the test.
const BYTES_MAX = 128 * 1024

function mutateOne(bytes: Uint8Array, mutation: Mutation, corpus: readonly Uint8Array[]): Uint8Array {
  const { kind, length, value } = mutation
  const at = modulo(mutation.at, bytes.length + 1)
  const from = modulo(mutation.from, bytes.length + 1)
  const source = corpus[value % corpus.length] ?? bytes
  switch (kind) {
    case 'bit':
      return changed(bytes, at, (byte) => byte ^ (1 << (value & 7)))
    case 'byte':
      return changed(bytes, at, () => value)
    case 'add':
      return changed(bytes, at, (byte) => byte + 1 + (value % 16) - 8)
    case 'word':
      return replaced(bytes, at, 0, edgeWord(value), true)
    case 'varint':
      return replaced(bytes, at, varintLengthAt(bytes, at), edgeVarint(value))
    case 'insert':
      return replaced(bytes, at, 0, new Uint8Array(length).fill(value))
    case 'remove':
      return replaced(bytes, at, length, new Uint8Array(0))
    case 'cut':
      return bytes.slice(0, at)
    case 'repeat':
      return replaced(bytes, at, 0, bytes.subarray(from, from + length))
    case 'overwrite':
      return replaced(bytes, at, 0, bytes.subarray(from, from + length), true)
    case 'splice': {
      const start = modulo(mutation.from, source.length + 1)
      return replaced(bytes, at, 0, source.subarray(start, start + length), value % 2 === 0)
    }
    case 'hostile':
    default:
      return (HOSTILE[value % HOSTILE.length] as { readonly bytes: Uint8Array }).bytes
  }
}

function changed(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice()
  if (at < copy.length) copy[at] = change(copy[at] as number)
  return copy
}

/** @param over `inserted` takes the place of as many bytes */
function replaced(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array, over = false): Uint8Array {
  const after = Math.min(bytes.length, at + (over ? inserted.length : removed))
  const result = new Uint8Array(Math.min(BYTES_MAX, at + inserted.length + bytes.length - after))
  result.set(bytes.subarray(0, at))
  result.set(inserted.subarray(0, result.length - at), at)
  const rest = at + inserted.length
  if (rest < result.length) result.set(bytes.subarray(after, after + result.length - rest), rest)
  return result
}

/** One of the edges, or one above or below, as a little-endian integer of 1, 2, 4 or 8 bytes. */
function edgeWord(value: number): Uint8Array {
  const word = new Uint8Array(8)
  new DataView(word.buffer).setBigUint64(0, BigInt.asUintN(64, edge(value)), true)
  return word.subarray(0, 1 << ((value >>> 8) & 3))
}

function edgeVarint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, edge(value))
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return Uint8Array.from([...bytes, Number(rest)])
}

function edge(value: number): bigint {
  return (EDGES[value % EDGES.length] as bigint) + BigInt(((value >>> 16) % 3) - 1)
}

function varintLengthAt(bytes: Uint8Array, at: number): number {
  let length = 0
  while (length < 8 && ((bytes[at + length] ?? 0) & 0x80) !== 0) length++
  return length + 1
}

function modulo(value: number, limit: number): number {
  return ((value % limit) + limit) % limit
}
