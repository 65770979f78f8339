/** The same commands under every setting, with faults that a caller may answer by trying again: the same answers. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { VarveError } from '../../src/kernel/errors.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import type { KvSnapshot } from '../../src/engines/kv/kv.ts'
import type { Composition } from '../compositions.ts'
import { DirectoryDatabase } from './directory-database.ts'
import { SimulatedDatabase } from './simulated-database.ts'
import { VersionedMap } from './versioned-map.ts'

const key = fc.nat(20).map((index) => `key ${String(index).padStart(2, '0')}`)
const value = fc.tuple(fc.nat(9999), fc.nat(300)).map(([number, length]) => `${number}`.padEnd(length, '.'))

type Command =
  | { readonly do: 'put'; readonly key: string; readonly value: string }
  | { readonly do: 'delete' | 'get'; readonly key: string }
  | { readonly do: 'batch'; readonly puts: readonly (readonly [string, string])[] }
  | { readonly do: 'deleteRange' | 'scan'; readonly from: string; readonly to: string }
  | { readonly do: 'flush' | 'compact' | 'settle' | 'snapshot' | 'release' | 'reopen' | 'sync' }

/** Commands of one run. */
export const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), key, value }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'get' as const), key }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('batch' as const),
        puts: fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 8 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constantFrom('deleteRange' as const, 'scan' as const), from: key, to: key }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom<'flush' | 'compact' | 'settle' | 'snapshot' | 'release' | 'reopen' | 'sync'>(
          ...(['flush', 'compact', 'settle', 'snapshot', 'release', 'reopen', 'sync'] as const),
        ),
      }),
    },
  ),
  { minLength: 20, maxLength: 60 },
)

/** A database that faults can be let loose on. */
export interface FaultyDatabase {
  readonly db: KvShard
  /** While true, calls fail now and then with what a caller may answer by trying again. */
  faults: boolean
  open(): Promise<void>
  reopen(): Promise<void>
  /** Waits until what failed in the background may have been tried again, though it has `failures` times. */
  recover(failures: number): Promise<void>
  /** What `work` answers, for which time may have to pass. @throws where it never settles */
  settle<T>(work: Promise<T>): Promise<T>
  stop(): Promise<void>
}

/** @returns commands that were tried again */
export async function runUnder(composition: Composition, list: readonly Command[], seed: number): Promise<number> {
  const database =
    composition.local === undefined
      ? new SimulatedDatabase(composition, seed)
      : new DirectoryDatabase(composition, composition.local, seed)
  const run = new MetamorphicRun(database)
  await run.all(list)
  return run.retries
}

const TRIES = 20

class MetamorphicRun {
  retries = 0
  readonly #database: FaultyDatabase
  readonly #model = new VersionedMap()
  #snapshots: { readonly snapshot: KvSnapshot; readonly version: number }[] = []

  constructor(database: FaultyDatabase) {
    this.#database = database
  }

  async all(list: readonly Command[]): Promise<void> {
    const database = this.#database
    await database.open()
    try {
      for (const command of list) await this.#one(command)
      await this.#one({ do: 'scan', from: '', to: '~' })
    } finally {
      await database.settle(database.stop())
    }
  }

  async #one(command: Command): Promise<void> {
    const { db } = this.#database
    if (command.do === 'put') {
      await this.#retry(() => db.put(Buffer.from(command.key), Buffer.from(command.value)))
      this.#model.write([[command.key, command.value]])
    } else if (command.do === 'delete') {
      await this.#retry(() => db.delete(Buffer.from(command.key)))
      this.#model.write([[command.key, undefined]])
    } else if (command.do === 'batch') {
      const operations = command.puts.map(([name, text]) => ({
        type: 'put' as const,
        key: Buffer.from(name),
        value: Buffer.from(text),
      }))
      await this.#retry(() => db.batch(operations))
      this.#model.write(command.puts)
    } else if (command.do === 'deleteRange') {
      await this.#retry(() => db.deleteRange({ gte: Buffer.from(command.from), lt: Buffer.from(command.to) }))
      this.#model.deleteRange(command.from, command.to)
    } else if (command.do === 'get') await this.#get(command.key)
    else if (command.do === 'scan') await this.#scan(command.from, command.to)
    else if (command.do === 'flush') await this.#retry(() => db.flush())
    else if (command.do === 'compact') await this.#retry(() => db.compactRange())
    else if (command.do === 'settle') await this.#retry(() => db.settle())
    else if (command.do === 'sync') await this.#retry(() => db.sync())
    else if (command.do === 'snapshot') this.#snapshots.push({ snapshot: db.snapshot(), version: this.#model.version })
    else if (command.do === 'release') this.#snapshots.shift()?.snapshot.close()
    else await this.#reopen()
  }

  async #reopen(): Promise<void> {
    for (const { snapshot } of this.#snapshots) snapshot.close()
    this.#snapshots = []
    await this.#database.settle(this.#database.reopen())
  }

  async #get(name: string): Promise<void> {
    const { db } = this.#database
    for (const { version, ...options } of [...this.#snapshots, { version: this.#model.version }]) {
      const found = await this.#retry(() => db.get(Buffer.from(name), options))
      const text = found === undefined ? undefined : Buffer.from(found).toString()
      assert.equal(text, this.#model.get(name, version), `${name} at version ${version}`)
    }
  }

  async #scan(from: string, to: string): Promise<void> {
    const { db } = this.#database
    const bounds = { gte: Buffer.from(from), lt: Buffer.from(to) }
    for (const { version, ...options } of [...this.#snapshots, { version: this.#model.version }]) {
      const found = await this.#retry(async () => {
        const entries: string[] = []
        for await (const entry of db.scan({ ...bounds, ...options })) {
          entries.push(`${Buffer.from(entry.key).toString()}=${Buffer.from(entry.value).toString()}`)
        }
        return entries
      })
      assert.deepEqual(found, this.#model.scan(from, to, version), `scan at version ${version}`)
    }
  }

  /** Calls `work` with faults on, until it does not meet one. Nothing of a call that fails so has happened. */
  async #retry<T>(work: () => Promise<T>): Promise<T> {
    const database = this.#database
    for (let left = TRIES; ; left--) {
      // The last ones without: of what runs in the background something may have failed a moment ago.
      database.faults = left > 2
      try {
        return await database.settle(work())
      } catch (error) {
        if (left === 0 || !(error instanceof VarveError) || error.kind !== 'retry') throw error
        this.retries++
        database.faults = false
        await database.recover(TRIES - left)
      } finally {
        database.faults = false
      }
    }
  }
}
