/** What the kill tests write: batches that can be recognised, whole or not. */

import type { KvOperation } from '../../src/engines/kv/kv.ts'

export const SETTINGS = Object.freeze({
  memtableBytes: 32 * 1024,
  tableBytes: 16 * 1024,
  level0Files: 3,
  levelBytesBase: 64 * 1024,
} as const)

export const LEFT = 'left/'
export const RIGHT = 'right/'

export function batchOf(number: number): KvOperation[] {
  const value = valueOf(number)
  return [
    { type: 'put', key: keyOf(LEFT, number), value },
    { type: 'put', key: keyOf(RIGHT, number), value },
  ]
}

export function keyOf(family: string, number: number): Uint8Array {
  return Buffer.from(family + String(number).padStart(9, '0'))
}

export function valueOf(number: number): Uint8Array {
  return Buffer.from(`${number}-`.repeat(1 + (number % 50)))
}
