/** A memtable and what is needed to fill and read it, for the conformance suite. */

import assert from 'node:assert/strict'
import { copyOf } from '../kernel/bytes.ts'
import type { CursorOptions } from '../kernel/cursor.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../kernel/entry.ts'
import { emptyFound } from '../kernel/found.ts'
import { POSITION_ZERO, seqno, SEQNO_MAX } from '../kernel/ids.ts'
import { lowerCut, upperCut } from '../kernel/key-cut.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import { RANGE_DELETE } from '../memtable/entry-operation.ts'
import type { OrderedMemtable, OrderedReader } from '../memtable/ordered-memtable.ts'
import { testPromise } from './conformance-suite.ts'
import type { ConformanceSuite } from './conformance-suite.ts'

/** A memtable, as its conformance suite is given it. */
export interface MemtableSuite extends ConformanceSuite<() => void> {
  /** An empty memtable. */
  open(order: KeyOrder): OrderedMemtable
  /** Reads what `handOver()` gave, after it went through `structuredClone`. */
  openImage(image: unknown, order: KeyOrder): OrderedReader
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (of: Uint8Array): string => new TextDecoder().decode(copyOf(of))

/** Makes the tests of a suite: each has a memtable of its own. */
export function promises(suite: MemtableSuite): (name: string, body: (bench: Bench) => void, order?: KeyOrder) => void {
  return (name, body, order = BYTEWISE) => {
    testPromise(suite, name, () => {
      const bench = new Bench(suite, order)
      try {
        body(bench)
      } finally {
        bench.memtable.release()
      }
    })
  }
}

export const whole: CursorOptions = { range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'newest' }

export class Bench {
  readonly #suite: MemtableSuite
  readonly #order: KeyOrder
  memtable: OrderedMemtable

  constructor(suite: MemtableSuite, order: KeyOrder) {
    this.#suite = suite
    this.#order = order
    this.memtable = suite.open(order)
  }

  /** Starts again with an empty memtable. */
  renew(): void {
    this.memtable.release()
    this.memtable = this.#suite.open(this.#order)
  }

  put(key: string, value: string, at: number = this.memtable.seqnoLast + 1): void {
    this.memtable.apply({ key: bytes(key), value: bytes(value), kind: ENTRY_PUT }, seqno(at), POSITION_ZERO)
  }

  delete(key: string, at: number = this.memtable.seqnoLast + 1): void {
    const operation = { key: bytes(key), value: new Uint8Array(0), kind: ENTRY_DELETE } as const
    this.memtable.apply(operation, seqno(at), POSITION_ZERO)
  }

  deleteRange(range: KeyRange, at: number = this.memtable.seqnoLast + 1): void {
    const operation = { kind: RANGE_DELETE, lower: lowerCut(range), upper: upperCut(range) } as const
    this.memtable.apply(operation, seqno(at), POSITION_ZERO)
  }

  /** `<seqno> <kind> <value>`, or undefined. */
  get(key: string, at: number = SEQNO_MAX, reader: OrderedReader = this.memtable): string | undefined {
    const found = emptyFound()
    if (!reader.get(bytes(key), seqno(at), found)) return undefined
    const value = found.block.subarray(found.valueStart, found.valueStart + found.valueLength)
    return describe(found.seqno, found.kind, value)
  }

  found(reader: OrderedReader, key: Uint8Array): Uint8Array | undefined {
    const found = emptyFound()
    if (!reader.get(key, SEQNO_MAX, found)) return undefined
    return copyOf(found.block, found.valueStart, found.valueStart + found.valueLength)
  }

  /** `<key> <seqno> <kind> <value>` of every entry. */
  scan(options: Partial<CursorOptions>, capacity = 3, reader: OrderedReader = this.memtable): string[] {
    const cursor = reader.cursor({ ...whole, ...options })
    const batch = new EntryBatch(capacity)
    const entries: string[] = []
    for (let count = cursor.next(batch); count !== 0; count = cursor.next(batch)) {
      assert.ok(typeof count === 'number', 'a memtable is never PENDING')
      assert.equal(count, batch.count, 'next returns what the batch holds')
      for (let index = 0; index < count; index++) {
        const rest = describe(batch.seqnos[index] as number, batch.kinds[index] as number, batch.valueAt(index))
        entries.push(`${text(batch.keyAt(index))} ${rest}`)
      }
    }
    cursor.close()
    return entries
  }

  keys(options: Partial<CursorOptions>): string[] {
    return this.scan(options).map((entry) => entry.slice(0, entry.indexOf(' ')))
  }
}

export function describe(at: number, kind: number, value: Uint8Array): string {
  return `${at} ${kind === ENTRY_PUT ? 'put' : 'delete'} ${text(value)}`
}
