/**
 * Range deletions against a sorted map, where they meet everything else: many keys in many small tables, tombstones that
 * span several outputs of a compaction, snapshots on either side of them.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../src/kernel/bytes.ts'
import type { KvOperation, KvRange, KvSnapshot, ScanOptions } from '../src/engines/kv/kv.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { KV_POLICIES } from '../src/engines/kv/settings.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { KvModel } from './kv-model.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEYS = 400

/** Tables of some dozen entries; values do not shrink, so that outputs are split. */
const SETTINGS = Object.freeze({
  ...TINY_SETTINGS,
  memtableBytes: 16_384,
  compression: 'none',
  tableBytes: 1024,
  jobBytes: 1024,
} as const)

type Command =
  | { readonly do: 'fill'; readonly from: number; readonly count: number; readonly step: number }
  | { readonly do: 'deleteRange'; readonly range: KvRange }
  | { readonly do: 'batch'; readonly operations: readonly KvOperation[] }
  | { readonly do: 'compact'; readonly range: KvRange }
  | { readonly do: 'flush' | 'settle' | 'snapshot' | 'release' | 'reopen' | 'kill' | 'compare' }

const numbers = fc.nat(KEYS - 1)
const range = fc
  .tuple(numbers, fc.oneof(fc.nat(20), fc.nat(KEYS)), fc.boolean(), fc.boolean())
  .map(([from, length, lowerOpen, upperOpen]): KvRange => ({
    ...(from === 0 ? {} : lowerOpen ? { gt: keyOf(from) } : { gte: keyOf(from) }),
    ...(from + length >= KEYS ? {} : upperOpen ? { lt: keyOf(from + length) } : { lte: keyOf(from + length) }),
  }))
const operation: fc.Arbitrary<KvOperation> = fc.oneof(
  {
    weight: 2,
    arbitrary: numbers.map((number) => ({ type: 'put' as const, key: keyOf(number), value: valueOf(number) })),
  },
  { weight: 1, arbitrary: numbers.map((number) => ({ type: 'delete' as const, key: keyOf(number) })) },
  { weight: 2, arbitrary: range.map((bounds) => ({ type: 'deleteRange' as const, ...bounds })) },
)
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('fill' as const),
      from: numbers,
      count: fc.integer({ min: 10, max: 120 }),
      step: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('deleteRange' as const), range }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('batch' as const), operations: fc.array(operation, { maxLength: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('compact' as const), range }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'flush' as const,
        'flush' as const,
        'settle' as const,
        'snapshot' as const,
        'snapshot' as const,
        'release' as const,
        'compare' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'kill' as const) }) },
)

for (const policy of KV_POLICIES) {
  test(`${policy}: whatever is deleted by range, reads now and at every snapshot are those of a sorted map`, async () => {
    const commands = fc.array(command, { minLength: 5, maxLength: 60, size: 'max' })
    await fc.assert(
      fc.asyncProperty(commands, fc.integer(), async (each, seed) => {
        const simulation = await Simulation.start(seed, { ...SETTINGS, policy })
        try {
          await new Run(simulation, seed).all(each)
        } finally {
          await simulation.stop()
        }
      }),
      { numRuns: 25, includeErrorInReport: true },
    )
  })
}

class Run {
  readonly #simulation: Simulation
  readonly #random: SeededRandom
  readonly #model = new KvModel()
  #snapshots: { readonly snapshot: KvSnapshot; readonly model: KvModel }[] = []

  constructor(simulation: Simulation, seed: number) {
    this.#simulation = simulation
    this.#random = new SeededRandom(seed)
  }

  get #db(): KvShard {
    return this.#simulation.db
  }

  async all(commands: readonly Command[]): Promise<void> {
    for (const each of commands) await this.#one(each)
    await this.#compare()
    await this.#db.compactRange()
    await this.#compare()
    for (const { snapshot } of this.#snapshots.splice(0)) snapshot.close()
    await this.#db.compactRange()
    await this.#compare()
    for await (const { damage } of this.#db.verify()) assert.equal(damage, undefined)
  }

  async #one(each: Command): Promise<void> {
    switch (each.do) {
      case 'fill': {
        const { from, count, step } = each
        const filled = Array.from({ length: count }, (_, index) => (from + index * step) % KEYS)
        await this.#write(
          filled.map((number) => ({ type: 'put', key: keyOf(number), value: valueOf(this.#random.u32()) })),
        )
        return
      }
      case 'deleteRange':
        await this.#db.deleteRange(each.range)
        this.#model.apply([{ type: 'deleteRange', ...each.range }], true)
        return
      case 'batch':
        await this.#write(each.operations)
        return
      case 'compact':
        await this.#db.compactRange(each.range)
        return
      case 'snapshot':
        this.#snapshots.push({ snapshot: this.#db.snapshot(), model: this.#model.copy() })
        return
      case 'release':
        this.#snapshots.splice(this.#random.below(this.#snapshots.length + 1), 1)[0]?.snapshot.close()
        return
      case 'compare':
        await this.#compare()
        return
      case 'flush':
      case 'settle':
        await this.#db[each.do]()
        return
      case 'reopen':
      case 'kill':
        this.#snapshots = []
        await this.#simulation[each.do]()
    }
  }

  async #write(operations: readonly KvOperation[]): Promise<void> {
    await this.#db.batch(operations)
    this.#model.apply(operations, true)
  }

  async #compare(): Promise<void> {
    for (const { snapshot, model } of [{ snapshot: undefined, model: this.#model }, ...this.#snapshots]) {
      const options = snapshot === undefined ? {} : { snapshot }
      const [from, to] = [keyOf(this.#random.below(KEYS)), keyOf(this.#random.below(KEYS))]
      await this.#compareScan({ ...options, reverse: this.#random.once(2) }, model)
      await this.#compareScan({ ...options, gte: from, lt: to, reverse: this.#random.once(2) }, model)
      for (let probe = 0; probe < 20; probe++) {
        const key = keyOf(this.#random.below(KEYS))
        const found = probe % 2 === 0 ? await this.#db.get(key, options) : this.#db.getSync(key, options)
        assert.equal(found && toHex(found), hexOf(model.get(key)), `key ${toHex(key)}`)
      }
    }
  }

  async #compareScan(options: ScanOptions, model: KvModel): Promise<void> {
    const found: string[] = []
    for await (const entries of this.#db.scan(options).chunks(1 + this.#random.below(200))) {
      for (const { key, value } of entries) found.push(`${toHex(key)}=${toHex(value)}`)
    }
    assert.deepEqual(
      found,
      model.scan(options).map(([key, value]) => `${key}=${toHex(value)}`),
    )
  }
}

function keyOf(number: number): Uint8Array {
  return Uint8Array.of(number >>> 8, number)
}

function valueOf(number: number): Uint8Array {
  return new Uint8Array(24).map((_, index) => number >>> (index % 24))
}

function hexOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : toHex(value)
}
