/** Reads and writes that go wrong behind the caller's back: what disks, controllers and cables do. */

import { failure } from './simulated-failure.ts'
import type { SimulatedInode } from './simulated-inode.ts'

/**
 * - `flipped`: one bit of what is read, or stored, is wrong
 * - `misdirected`: another place of the same file is read, or written
 * - `stale`: a read finds what is on stable storage, not what was written since; a write is acknowledged and never stored
 * - `short`: a read stops early as if the file ended there; a write stores its first bytes and fails with IO_FAILED
 */
export type TransferFault =
  /** Which, counted from the first byte on, modulo those there are. */
  | { readonly type: 'flipped'; readonly bit: number }
  /** Where it goes to instead, in bytes. */
  | { readonly type: 'misdirected'; readonly position: number }
  | { readonly type: 'stale' }
  /** What is transferred of it. */
  | { readonly type: 'short'; readonly bytes: number }

/** Bytes read: all the caller will ever know. */
export function readFaulty(inode: SimulatedInode, into: Uint8Array, position: number, fault: TransferFault): number {
  if (fault.type === 'short') return inode.read(into.subarray(0, fault.bytes), position)
  if (fault.type === 'stale') return inode.readDurable(into, position)
  if (fault.type === 'misdirected') return inode.read(into, fault.position)
  const count = inode.read(into, position)
  flip(into.subarray(0, count), fault.bit)
  return count
}

/** @throws {VarveError} IO_FAILED — where the write is short */
export function writeFaulty(
  inode: SimulatedInode,
  parts: readonly Uint8Array[],
  position: number,
  fault: TransferFault,
  path: string,
): void {
  if (fault.type === 'stale') return
  const bytes = Buffer.concat(parts)
  if (fault.type === 'short') {
    inode.write([bytes.subarray(0, fault.bytes)], position)
    throw failure('IO_FAILED', 'write', path)
  }
  if (fault.type === 'flipped') flip(bytes, fault.bit)
  inode.write([bytes], fault.type === 'misdirected' ? fault.position : position)
}

function flip(bytes: Uint8Array, bit: number): void {
  const at = (bit >>> 3) % Math.max(1, bytes.length)
  if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7))
}
