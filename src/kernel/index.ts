/** `varve/kernel`: the vocabulary that every part shares. */

export { AssertionError, assert } from './assert.ts'
export { compareBytes, concatBytes, equalBytes, headOf, prefixLimit, toHex } from './bytes.ts'
export { BatchPool } from './batch-pool.ts'
export type { Clock, Timer, TimerOptions } from './clock.ts'
export { Decoder, Encoder } from './codec.ts'
export { PENDING } from './cursor.ts'
export type { Cursor, CursorOptions, Pending } from './cursor.ts'
export type { DecodeTasks } from './decode-tasks.ts'
export type { DecodeThread } from './decode-thread.ts'
export type {
  Device,
  DeviceDirectory,
  DeviceFile,
  DeviceSpace,
  DeviceStat,
  DeviceSupport,
  DirectoryEntry,
  OpenMode,
} from './device.ts'
export { EntryBatch } from './entry-batch.ts'
export type { EntryForm } from './entry-batch.ts'
export { ENTRY_DELETE, ENTRY_PUT } from './entry.ts'
export type { EntryKind } from './entry.ts'
export { ERROR_KINDS, VarveError, isCode } from './errors.ts'
export type { ErrorCode, ErrorKind, VarveErrorOptions } from './errors.ts'
export type { FileRef } from './file-ref.ts'
export { FragmentList } from './fragment-list.ts'
export type { RangeFragment } from './fragment-list.ts'
export { emptyFound } from './found.ts'
export type { Found } from './found.ts'
export { hashKey, loadHash } from './hash.ts'
export type { Hash, HashStream } from './hash.ts'
export { epoch, fileName, journalPosition, seqno, shardId, POSITION_ZERO, SEQNO_MAX, SEQNO_ZERO } from './ids.ts'
export type { Epoch, FileName, JournalPosition, Seqno, ShardId } from './ids.ts'
export { AFTER_ALL, BEFORE_ALL, cutAfter, cutBefore, lowerCut, upperCut } from './key-cut.ts'
export type { CutSide, KeyCut } from './key-cut.ts'
export { BYTEWISE } from './key-order.ts'
export type { KeyOrder } from './key-order.ts'
export type { KeyRange } from './key-range.ts'
export type { Lease } from './lease.ts'
export type { Lz4 } from './lz4.ts'
export { GIB, KIB, LIMITS, MIB } from './limits.ts'
export { mergeCursors } from './merge.ts'
export type { Random } from './random.ts'
export type { RangeStretch, RangeTombstone, RangeTombstones } from './range-tombstone.ts'
