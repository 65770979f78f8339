/** Journals of one place and what is needed to fill and read them, for the conformance suite. */

import assert from 'node:assert/strict'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { epoch, journalPosition, shardId } from '../kernel/ids.ts'
import type { JournalPosition, ShardId } from '../kernel/ids.ts'
import type { Journal, JournalReader, JournalSystem } from '../journal/journal.ts'
import { testPromise } from './conformance-suite.ts'
import type { ConformanceSuite } from './conformance-suite.ts'
import { MemoryStateKeeper } from './memory-state-keeper.ts'

/** Where one test's journals live. */
export interface JournalPlace {
  /** A system over the same stored bytes, as another process would make it. */
  system(): JournalSystem
  /** Gives up what it took, when the test has ended. Default: nothing is to be done. */
  dispose?(): Promise<void>
}

/** A journal system, as its conformance suite is given it. */
export interface JournalSuite extends ConformanceSuite {
  /** An empty place. */
  open(): Promise<JournalPlace>
}

/** Makes a test of one promise, with a place of its own. */
export type JournalPromise = (name: string, body: (bench: JournalBench) => Promise<void>) => void

interface Batch {
  readonly text: string
  readonly position: number
}

/** Makes the tests of a suite. */
export function promises(suite: JournalSuite): JournalPromise {
  return (name, body) => {
    testPromise(suite, name, async () => {
      const bench = new JournalBench(await suite.open())
      try {
        await body(bench)
      } finally {
        await bench.dispose()
      }
    })
  }
}

/** The journals of one test, closed when it ends. */
export class JournalBench {
  readonly shard: ShardId = shardId('shard-1')
  readonly #place: JournalPlace
  readonly #keepers = new Map<ShardId, MemoryStateKeeper>()
  readonly #opened: JournalReader[] = []
  #epoch = 0

  constructor(place: JournalPlace) {
    this.#place = place
  }

  get system(): JournalSystem {
    return this.#place.system()
  }

  keeper(shard = this.shard): MemoryStateKeeper {
    const keeper = this.#keepers.get(shard) ?? new MemoryStateKeeper()
    this.#keepers.set(shard, keeper)
    return keeper
  }

  /** Opens with the next epoch, or with `at`. */
  async open(shard = this.shard, at = ++this.#epoch): Promise<Journal> {
    const journal = await this.system.open(shard, epoch(at), this.keeper(shard))
    this.#opened.push(journal)
    return journal
  }

  async openReadOnly(): Promise<JournalReader> {
    const reader = await this.system.openReadOnly(this.shard, this.keeper().state)
    this.#opened.push(reader)
    return reader
  }

  async dispose(): Promise<void> {
    for (const one of this.#opened) await one.close()
    await this.#place.dispose?.()
  }
}

/** What replay visits from `from` on. */
export async function batches(reader: JournalReader, from = 0): Promise<Batch[]> {
  const found: Batch[] = []
  let next = from
  const end = await reader.replay(journalPosition(from), (payload, position: JournalPosition) => {
    assert.ok(position >= next, 'positions grow')
    next = position + payload.length
    found.push({ text: Buffer.from(payload).toString(), position })
  })
  assert.ok(end >= next, 'replay returns the position just past the last batch')
  return found
}

/** As `batches`, without positions. */
export async function texts(reader: JournalReader, from = 0): Promise<string[]> {
  return (await batches(reader, from)).map(({ text }) => text)
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Bytes that tell their seed. */
export function pattern(length: number, seed: number): Uint8Array {
  const payload = new Uint8Array(length)
  let state = seed * 2_654_435_761 + 1
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    payload[index] = state >>> 16
  }
  return payload
}

export async function rejects(code: ErrorCode, promise: Promise<unknown>, message: string): Promise<void> {
  await assert.rejects(promise, (error) => isCode(error, code), `${message}: rejects with ${code}`)
}

export function throwsCode(code: ErrorCode, call: () => unknown, message: string): void {
  assert.throws(call, (error) => error instanceof VarveError && error.code === code, `${message}: throws ${code}`)
}
