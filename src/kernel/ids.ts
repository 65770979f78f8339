/** Numbers and names that must not be mixed up, each with its one parser. */

import { assert } from './assert.ts'
import { VarveError } from './errors.ts'
import { LIMITS } from './limits.ts'

declare const seqnoTag: unique symbol
declare const epochTag: unique symbol
declare const positionTag: unique symbol
declare const fileNameTag: unique symbol
declare const shardIdTag: unique symbol

/** Position in the shard's total order of writes. Integer, 0 … 2^53 − 1 in memory, u64 on disk. The first write has 1. */
export type Seqno = number & { readonly [seqnoTag]: true }

/** Ownership generation of a shard. Integer; grows by one with every owner. The first owner has 1. */
export type Epoch = number & { readonly [epochTag]: true }

/** Payload bytes appended to a shard's journal before this point, over its whole life. Integer, 0 … 2^53 − 1. */
export type JournalPosition = number & { readonly [positionTag]: true }

/** Name of an immutable file in a file store: `[a-z0-9][a-z0-9._-]*`, at most LIMITS.fileNameLengthMax characters. */
export type FileName = string & { readonly [fileNameTag]: true }

/**
 * Name of a shard: as a file name, but without dots, so that `<shard>.` begins the names of its files and of no other's, and
 * at most LIMITS.shardNameLengthMax characters, so that they have room behind it.
 */
export type ShardId = string & { readonly [shardIdTag]: true }

/** Before the first write. */
export const SEQNO_ZERO = 0 as Seqno
/** Reads at this seqno see everything. */
export const SEQNO_MAX = Number.MAX_SAFE_INTEGER as Seqno
/** Before the first owner. */
export const EPOCH_ZERO = 0 as Epoch
/** Before the first payload. */
export const POSITION_ZERO = 0 as JournalPosition

/** @throws {AssertionError} not one: numbers from outside are checked before. */
export function seqno(value: number): Seqno {
  assert(Number.isSafeInteger(value), 'seqno is not an integer below 2^53')
  assert(value >= 0, 'seqno is negative')
  return value as Seqno
}

/** As `seqno`. */
export function epoch(value: number): Epoch {
  assert(Number.isSafeInteger(value), 'epoch is not an integer below 2^53')
  assert(value >= 0, 'epoch is negative')
  return value as Epoch
}

/** As `seqno`. */
export function journalPosition(value: number): JournalPosition {
  assert(Number.isSafeInteger(value), 'journal position is not an integer below 2^53')
  assert(value >= 0, 'journal position is negative')
  return value as JournalPosition
}

// The first character rules out '.', '..' and option-like names; the alphabet rules out separators and drive names.
const FILE_NAME = /^[a-z0-9][a-z0-9._-]*$/
const SHARD_ID = /^[a-z0-9][a-z0-9_-]*$/

/** @throws {VarveError} LIMIT_EXCEEDED — too long, or with characters outside the alphabet */
export function fileName(value: string): FileName {
  checkName('file name', value, FILE_NAME, LIMITS.fileNameLengthMax)
  return value as FileName
}

/** @throws {VarveError} LIMIT_EXCEEDED — too long, or with characters outside the alphabet */
export function shardId(value: string): ShardId {
  checkName('shard id', value, SHARD_ID, LIMITS.shardNameLengthMax)
  return value as ShardId
}

/** Some shard could have that name. */
export function isShardId(value: string): value is ShardId {
  return value.length <= LIMITS.shardNameLengthMax && SHARD_ID.test(value)
}

function checkName(what: string, value: string, pattern: RegExp, lengthMax: number): void {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string, got ${typeof value}`)
  if (value.length <= lengthMax && pattern.test(value)) return
  const shown = JSON.stringify(value.slice(0, lengthMax))
  throw new VarveError(
    'LIMIT_EXCEEDED',
    `${what} ${shown} must match ${pattern.source} and have at most ${lengthMax} characters`,
    { details: { what, size: value.length, limit: lengthMax } },
  )
}
