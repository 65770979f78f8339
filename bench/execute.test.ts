/** The harness tells a store that skips work from one that does it. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute } from './execute.ts'
import type { Peer, ScanRequest, Store, Value, Visit } from './peers/peer.ts'
import type { Outcome } from './task.ts'
import { WORKLOADS } from './workloads/workload-table.ts'

const KEYS = 300

/** Does everything right, in a sorted map; what it does wrong is up to those that extend it. */
class MapStore implements Store {
  readonly #entries = new Map<string, Uint8Array>()

  put(key: Uint8Array, value: Uint8Array): unknown {
    this.#entries.set(hex(key), Uint8Array.from(value))
    return undefined
  }

  putSynced(key: Uint8Array, value: Uint8Array): unknown {
    return this.put(key, value)
  }

  batch(keys: readonly Uint8Array[], values: readonly Uint8Array[], start: number, limit: number): unknown {
    for (let at = start; at < limit; at++) this.put(keys[at] as Uint8Array, values[at] as Uint8Array)
    return undefined
  }

  async get(key: Uint8Array): Promise<Value> {
    return Promise.resolve(this.getSync(key))
  }

  getSync(key: Uint8Array): Value {
    return this.#entries.get(hex(key))
  }

  getMany(keys: readonly Uint8Array[]): readonly Value[] {
    return keys.map((key) => this.getSync(key))
  }

  scan({ from, reverse, limit }: ScanRequest, visit: Visit): void {
    const bound = from === undefined ? undefined : hex(from)
    const keys = [...this.#entries.keys()].filter(
      (key) => bound === undefined || (reverse ? key <= bound : key >= bound),
    )
    keys.sort()
    if (reverse) keys.reverse()
    for (const key of keys.slice(0, limit)) visit(Buffer.from(key, 'hex'), this.#entries.get(key) as Uint8Array)
  }

  deleteRange(start: Uint8Array, limit: Uint8Array): void {
    for (const key of this.#entries.keys()) if (key >= hex(start) && key < hex(limit)) this.#entries.delete(key)
  }

  compact(): void {
    // There is nothing to compact.
  }

  close(): void {
    // There is nothing to close.
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function peerOver(store: Store): Peer {
  return {
    name: 'map',
    supports: { written: true, synced: true, getSync: true, getMany: true, deleteRange: true },
    persists: false,
    settings: () => ({}),
    open: () => Promise.resolve(store),
  }
}

async function run(workload: string, store: Store): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-bench-test-'))
  const sizes = { keys: KEYS, valueBytes: 50, cacheBytes: 1024 }
  const task = { peer: 'map', workload, directory, ...sizes, budgetMs: 60_000, whole: true }
  try {
    return await execute(task, peerOver(store), () => undefined)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

for (const { name } of WORKLOADS.filter((workload) => workload.name !== 'recover')) {
  test(`${name}: a store that does its work gives the digest of the model, and all operations are counted`, async () => {
    const { digest, wanted, operations } = await run(name, new MapStore())
    assert.equal(digest, wanted)
    assert.ok(operations > 0)
  })
}

test('a store that loses some of its puts is found out', async () => {
  class Forgetful extends MapStore {
    #puts = 0
    override put(key: Uint8Array, value: Uint8Array): unknown {
      return ++this.#puts % 7 === 0 ? undefined : super.put(key, value)
    }
  }
  for (const workload of ['fillseq', 'fillrandom/100', 'overwrite', 'ycsb/a']) {
    const { digest, wanted } = await run(workload, new Forgetful())
    assert.notEqual(digest, wanted, workload)
  }
})

test('a store that changes one byte of a value is found out, and one that answers with another key’s', async () => {
  class Careless extends MapStore {
    override getSync(key: Uint8Array): Value {
      const value = super.getSync(key)
      return value === undefined ? undefined : Uint8Array.from(value, (byte, at) => (at === 20 ? byte ^ 1 : byte))
    }
  }
  class Confused extends MapStore {
    #last: Value
    override getSync(key: Uint8Array): Value {
      const value = this.#last
      this.#last = super.getSync(key)
      return value ?? this.#last
    }
  }
  for (const workload of [
    'readrandom/sync',
    'readrandom/awaited',
    'readrandom/many',
    'readrandom/inflight',
    'ycsb/c',
  ]) {
    for (const store of [new Careless(), new Confused()]) {
      const { digest, wanted } = await run(workload, store)
      assert.notEqual(digest, wanted, `${workload}, ${store.constructor.name}`)
    }
  }
})

test('a scan that leaves out an entry is found out, and so is a deletion that does nothing', async () => {
  class Hasty extends MapStore {
    override scan(request: ScanRequest, visit: Visit): void {
      let seen = 0
      super.scan(request, (key, value) => {
        if (++seen !== 7) visit(key, value)
      })
    }
  }
  class Stubborn extends MapStore {
    override deleteRange(): void {
      // Keeps everything.
    }
  }
  for (const workload of ['readseq', 'readreverse', 'seekrandom', 'ycsb/e']) {
    const { digest, wanted } = await run(workload, new Hasty())
    assert.notEqual(digest, wanted, workload)
  }
  const { digest, wanted } = await run('deleterange', new Stubborn())
  assert.notEqual(digest, wanted)
})
