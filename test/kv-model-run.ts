/** Commands to a key-value shard by chance, and a run of them against a sorted map. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compareBytes, toHex } from '../src/kernel/bytes.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import type { KvOperation, KvRange, KvSnapshot, ScanOptions } from '../src/engines/kv/kv.ts'
import type { KvPolicy } from '../src/engines/kv/settings.ts'
import { KvModel } from './kv-model.ts'
import type { SimulationSettings } from './simulation.ts'

const keys = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((n) => Buffer.from(`key-${String(n).padStart(3, '0')}`)),
  fc.uint8Array({ maxLength: 3 }),
  fc.integer({ min: 0, max: 20 }).map((n) => Buffer.from(`a/long/shared/prefix/of/many/keys/${n}`)),
)
const values = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.tuple(fc.integer({ min: 100, max: 3000 }), fc.nat(255)).map(([length, fill]) => new Uint8Array(length).fill(fill)),
)
const put = fc.record({ type: fc.constant('put' as const), key: keys, value: values })
const remove = fc.record({ type: fc.constant('delete' as const), key: keys })

const bound = fc.option(keys, { nil: undefined })
const range = fc
  .record({ lower: bound, upper: bound, lowerOpen: fc.boolean(), upperOpen: fc.boolean() })
  .map(({ lower, upper, lowerOpen, upperOpen }): KvRange => {
    // Most ranges that are the wrong way round are turned: few would be left otherwise.
    const turned = lower !== undefined && upper !== undefined && compareBytes(lower, upper) > 0 && lowerOpen
    const [from, to] = turned ? [upper, lower] : [lower, upper]
    return {
      ...(from === undefined ? {} : lowerOpen ? { gt: from } : { gte: from }),
      ...(to === undefined ? {} : upperOpen ? { lt: to } : { lte: to }),
    }
  })
const ranges = fc.oneof(
  { weight: 5, arbitrary: range },
  { weight: 1, arbitrary: keys.map((key): KvRange => ({ prefix: key.subarray(0, 5) })) },
)
const removeRange = ranges.map((bounds) => ({ type: 'deleteRange' as const, ...bounds }))

export type Command =
  | { readonly do: 'put' | 'delete' | 'deleteRange'; readonly operation: KvOperation; readonly synced: boolean }
  | { readonly do: 'batch'; readonly operations: readonly KvOperation[]; readonly synced: boolean }
  | { readonly do: 'get'; readonly key: Uint8Array }
  | { readonly do: 'scan'; readonly options: ScanOptions; readonly chunk: number }
  | { readonly do: 'compactRange' | 'size'; readonly range: KvRange }
  | { readonly do: 'verify' }
  | { readonly do: 'flush' | 'compact' | 'settle' | 'reopen' | 'kill' | 'powerCut' | 'snapshot' | 'release' }

const scanOptions = fc
  .record({ bounds: range, reverse: fc.boolean(), limit: fc.option(fc.nat(30), { nil: undefined }) })
  .map(({ bounds, reverse, limit }): ScanOptions => ({
    ...bounds,
    ...(limit === undefined ? {} : { limit }),
    reverse,
  }))

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), operation: put, synced: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), operation: remove, synced: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('deleteRange' as const),
      operation: removeRange,
      synced: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      operations: fc.array(
        fc.oneof(
          { weight: 3, arbitrary: put },
          { weight: 2, arbitrary: remove },
          { weight: 1, arbitrary: removeRange },
        ),
        { minLength: 1, maxLength: 12 },
      ),
      synced: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('get' as const), key: keys }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('scan' as const),
      options: scanOptions,
      chunk: fc.integer({ min: 1, max: 50 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'flush' as const,
        'compact' as const,
        'settle' as const,
        'snapshot' as const,
        'release' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('compactRange' as const, 'size' as const), range }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('verify' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'kill' as const, 'powerCut' as const) }) },
)

export const commandLists = fc.array(command, { minLength: 1, maxLength: 60 })

/** A shard that can be closed, killed and cut from power: a `Simulation`, or what stands for one. */
export interface ModelledShard {
  readonly db: KvShard
  /** What the next opening takes. */
  settings: SimulationSettings
  reopen(): Promise<void>
  kill(): Promise<void>
  powerCut(): Promise<void>
}

export class ModelRun {
  readonly #simulation: ModelledShard
  readonly #model = new KvModel()
  #snapshots: { readonly snapshot: KvSnapshot; readonly model: KvModel }[] = []

  readonly #policies: readonly KvPolicy[]
  readonly #syncReads: boolean
  #openings = 0

  /**
   * @param policies of the next openings, over and over
   * @param syncReads files can be read synchronously
   */
  constructor(simulation: ModelledShard, policies: readonly KvPolicy[], syncReads = true) {
    this.#simulation = simulation
    this.#policies = policies
    this.#syncReads = syncReads
  }

  get #db(): KvShard {
    return this.#simulation.db
  }

  async all(commands: readonly Command[]): Promise<void> {
    for (const each of commands) await this.#one(each)
    await this.#compareAll()
    await this.#simulation.reopen()
    this.#snapshots = []
    await this.#compareAll()
  }

  async #one(each: Command): Promise<void> {
    switch (each.do) {
      case 'put':
      case 'delete':
      case 'deleteRange':
        await this.#write([each.operation], each.synced)
        return
      case 'batch':
        await this.#write(each.operations, each.synced)
        return
      case 'get':
        // So often that a copy of the entry answers.
        for (let read = 0; read < 3; read++) same(await this.#db.get(each.key), this.#model.get(each.key))
        for (const { snapshot, model } of this.#snapshots) {
          same(await this.#db.get(each.key, { snapshot }), model.get(each.key))
          if (this.#syncReads) same(this.#db.getSync(each.key, { snapshot }), model.get(each.key))
        }
        return
      case 'scan':
        await this.#compareScan(each.options, each.chunk)
        for (const { snapshot, model } of this.#snapshots) {
          await this.#compareScan({ ...each.options, snapshot }, each.chunk, model)
        }
        return
      case 'compactRange':
        await this.#db.compactRange(each.range)
        return
      case 'size':
        assert.ok((await this.#db.approximateSize(each.range)) >= 0)
        return
      case 'verify':
        for await (const { damage } of this.#db.verify()) assert.equal(damage, undefined)
        return
      case 'flush':
        await this.#db.flush()
        return
      case 'compact':
        await this.#db.compactRange()
        return
      case 'settle':
        await this.#db.settle()
        return
      case 'snapshot':
        this.#snapshots.push({ snapshot: this.#db.snapshot(), model: this.#model.copy() })
        return
      case 'release':
        this.#snapshots.shift()?.snapshot.close()
        return
      case 'reopen':
      case 'kill':
      case 'powerCut':
        this.#snapshots = []
        this.#simulation.settings = {
          ...this.#simulation.settings,
          policy: this.#policies[this.#openings++ % this.#policies.length] as KvPolicy,
        }
        await this.#simulation[each.do]()
        if (each.do === 'powerCut') this.#model.rewindTo(await contentOf(this.#db))
        await this.#compareAll()
    }
  }

  async #write(operations: readonly KvOperation[], synced: boolean): Promise<void> {
    const options = { durability: synced ? ('synced' as const) : ('written' as const) }
    const [first] = operations
    if (operations.length > 1) await this.#db.batch(operations, options)
    else if (first?.type === 'put') await this.#db.put(first.key, first.value, options)
    else if (first?.type === 'delete') await this.#db.delete(first.key, options)
    else if (first?.type === 'deleteRange') await this.#db.deleteRange(first, options)
    this.#model.apply(operations, synced)
  }

  async #compareScan(options: ScanOptions, chunk: number, model = this.#model): Promise<void> {
    const scan = this.#db.scan(options)
    const found: string[] = []
    for await (const entries of scan.chunks(chunk))
      for (const { key, value } of entries) found.push(`${toHex(key)}=${toHex(value)}`)
    const expected = model.scan(options).map(([key, value]) => `${key}=${toHex(value)}`)
    assert.deepEqual(found, expected)
  }

  async #compareAll(): Promise<void> {
    await this.#compareScan({}, 100)
    await this.#compareScan({ reverse: true }, 7)
  }
}

async function contentOf(db: KvShard): Promise<ReadonlyMap<string, Uint8Array>> {
  const content = new Map<string, Uint8Array>()
  let last: Uint8Array | undefined
  for await (const { key, value } of db.scan()) {
    assert.ok(last === undefined || compareBytes(last, key) < 0, 'keys do not ascend')
    last = key
    content.set(toHex(key), value)
  }
  return content
}

function same(found: Uint8Array | undefined, expected: Uint8Array | undefined): void {
  assert.equal(found === undefined ? undefined : toHex(found), expected === undefined ? undefined : toHex(expected))
}
