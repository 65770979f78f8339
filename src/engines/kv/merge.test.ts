import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../../kernel/bytes.ts'
import { PENDING } from '../../kernel/cursor.ts'
import { EntryBatch } from '../../kernel/entry-batch.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import { loadHash } from '../../kernel/hash.ts'
import type { Hash } from '../../kernel/hash.ts'
import { fileName, SEQNO_MAX, seqno } from '../../kernel/ids.ts'
import { AFTER_ALL, BEFORE_ALL, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import { MemoryFileStore } from '../../fs/memory-file-store.ts'
import type { JobContext, JobOutput, JobResult, JobSpec } from '../../jobs/jobs.ts'
import { ArenaPool } from '../../memtable/arena.ts'
import { BPlusTree } from '../../memtable/b-plus-tree.ts'
import { RANGE_DELETE } from '../../memtable/entry-operation.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import { TableCache } from '../../sst/table-cache.ts'
import type { TableReader } from '../../sst/sst.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { fragmentTombstones } from './fragmentation.ts'
import { flush } from './flush.ts'
import type { MergeParameters, TableParameters } from './job-parameters.ts'
import { merge } from './merge.ts'
import { Stripes } from './stripes.ts'
import { tableFormat, WRITTEN_FORMAT } from './table-formats.ts'
import { decodeTableMeta } from './table-meta.ts'

const loaded = await loadHash()
const text = (bytes: Uint8Array): string => toHex(bytes)
const key = (number: number): Uint8Array => Uint8Array.of(number)

/** Jobs of this engine over files in memory. */
class JobPlace {
  readonly hash: Hash = loaded
  readonly files = new MemoryFileStore({ hash: loaded })
  readonly tables = new TableCache(this.files, { order: BYTEWISE, hash: loaded, cache: new BlockCache() })
  readonly #clock = new SimulatedClock()
  #names = 0

  get context(): JobContext {
    const { files, hash } = this
    return {
      files,
      hash,
      clock: this.#clock,
      signal: new AbortController().signal,
      outputName: (extension) => fileName(`t${this.#names++}.${extension}`),
      progress: () => undefined,
      pause: () => Promise.resolve(),
    }
  }

  parameters(given: Partial<TableParameters> = {}): TableParameters {
    return {
      order: undefined,
      format: WRITTEN_FORMAT,
      formatSettings: { blockBytes: 64, codec: 'none' },
      keyColumns: false,
      group: 0,
      tableBytes: 400,
      sampleBytes: 100,
      bottom: false,
      entriesExpected: 1,
      ...given,
    }
  }

  async flush(
    tree: BPlusTree,
    given: Partial<TableParameters> = {},
    pinned: readonly number[] = [],
  ): Promise<readonly JobOutput[]> {
    tree.freeze()
    const inputs = [{ type: 'memory', image: tree.handOver() }] as const
    const parameters = this.parameters({ tableBytes: Infinity, ...given })
    const spec = specOf({ inputs, parameters, pinnedSeqnos: pinned.map(seqno) })
    return (await flush.run(spec, this.context)).outputs
  }

  /** Merges tables, newest first, each a run by itself. */
  merge(
    inputs: readonly JobOutput[],
    part: readonly [KeyCut, KeyCut],
    pinnedSeqnos: readonly number[],
    bottom: boolean,
  ): Promise<JobResult> {
    const parameters: MergeParameters = {
      ...this.parameters({ bottom }),
      runs: inputs.map((_, index) => [index]),
      seqnos: inputs.map(({ seqnoFirst, seqnoLast }) => [seqnoFirst, seqnoLast]),
      lower: part[0],
      upper: part[1],
    }
    const files = inputs.map(
      ({ ref, format, meta }) => ({ type: 'file', ref, format, meta, view: new Uint8Array(0) }) as const,
    )
    return merge.run(specOf({ inputs: files, parameters, pinnedSeqnos: pinnedSeqnos.map(seqno) }), this.context)
  }

  /** All entries of tables, and what their range tombstones cover. */
  async contentOf(outputs: readonly JobOutput[]): Promise<{ readonly entries: string[]; readonly covered: unknown }> {
    const entries: string[] = []
    const tombstones = []
    for (const { ref, format } of outputs) {
      const fetch = new BlockFetch()
      let reader: TableReader | typeof PENDING
      while ((reader = this.tables.handle(ref, tableFormat(format)).reader(fetch)) === PENDING) await fetch.fill()
      await reader.verify('structure')
      let ranges
      while ((ranges = reader.rangeTombstones(fetch)) === PENDING) await fetch.fill()
      tombstones.push(...ranges.list())
      const cursor = reader.cursor({ range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' })
      const batch = new EntryBatch()
      for (let count = cursor.next(batch); count !== 0; count = cursor.next(batch)) {
        if (count === PENDING) await cursor.fill()
        else for (let index = 0; index < count; index++) entries.push(entryText(batch, index))
      }
      cursor.close()
      fetch.clear()
    }
    // As many stripes as seqnos: nothing is left out.
    const stripes = new Stripes(Array.from({ length: 100 }, (_, index) => index))
    const covered = fragmentTombstones(tombstones, BYTEWISE, stripes).map(
      ({ lower, upper, seqnos }) => `${lower.side}${text(lower.key)} ${upper.side}${text(upper.key)} ${seqnos.join()}`,
    )
    return { entries, covered }
  }
}

function specOf(given: Partial<JobSpec>): JobSpec {
  return { pinnedSeqnos: [], ...given } as JobSpec
}

function entryText(batch: EntryBatch, index: number): string {
  return `${text(batch.keyAt(index))} ${batch.seqnos[index]} ${batch.kinds[index]} ${text(batch.valueViewAt(index))}`
}

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('put' as const), key: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key: fc.nat(60) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('range' as const),
      key: fc.nat(60),
      length: fc.integer({ min: 1, max: 40 }),
    }),
  },
)
const memtables = fc.array(fc.array(operation, { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 4 })
const cutPoints = fc
  .uniqueArray(fc.tuple(fc.nat(62), fc.boolean()), {
    maxLength: 4,
    selector: ([at, after]) => at * 2 + (after ? 1 : 0),
  })
  .map((points) => points.sort((a, b) => a[0] * 2 + Number(a[1]) - b[0] * 2 - Number(b[1])))
  .map((points) => points.map(([at, after]) => (after ? cutAfter : cutBefore)(key(at))))
const pins = fc.uniqueArray(fc.integer({ min: 1, max: 80 }), { maxLength: 3 }).map((each) => each.sort((a, b) => a - b))

test('jobs that divide a merge make what one job makes, whatever is cut by their borders', async () => {
  await fc.assert(
    fc.asyncProperty(memtables, cutPoints, pins, fc.boolean(), async (histories, points, pinned, bottom) => {
      const place = new JobPlace()
      const pool = new ArenaPool()
      const inputs: JobOutput[] = []
      let last = 0
      for (const history of histories) {
        const tree = new BPlusTree({ pool })
        for (const each of history) {
          const at = seqno(++last)
          if (each.type === 'range') {
            const [lower, upper] = [cutBefore(key(each.key)), cutAfter(key(each.key + each.length))]
            tree.apply({ kind: RANGE_DELETE, lower, upper }, at, 0 as never)
          } else {
            const kind = each.type === 'put' ? ENTRY_PUT : ENTRY_DELETE
            const value = new Uint8Array(kind === ENTRY_PUT ? 20 : 0).fill(last)
            tree.apply({ kind, key: key(each.key), value }, at, 0 as never)
          }
        }
        inputs.unshift(...(await place.flush(tree)))
        tree.release()
      }
      const whole = await place.merge(inputs, [BEFORE_ALL, AFTER_ALL], pinned, bottom)
      const bounds = [BEFORE_ALL, ...points, AFTER_ALL]
      const divided: JobOutput[] = []
      for (let index = 1; index < bounds.length; index++) {
        const part = [bounds[index - 1] as KeyCut, bounds[index] as KeyCut] as const
        const { outputs, statistics } = await place.merge(inputs, part, pinned, bottom)
        const written = outputs.reduce((sum, { meta }) => sum + decodeTableMeta(meta, '').entryCount, 0)
        assert.equal(written, (statistics['entriesRead'] ?? 0) - (statistics['entriesDropped'] ?? 0))
        divided.push(...outputs)
      }
      assert.deepEqual(await place.contentOf(divided), await place.contentOf(whole.outputs))
    }),
    { numRuns: 150 },
  )
})

test('a table ends at its size, also where values are large', async () => {
  const place = new JobPlace()
  const tree = new BPlusTree({ pool: new ArenaPool() })
  const value = new Uint8Array(10_000)
  for (let index = 0; index < 200; index++) {
    tree.apply({ kind: ENTRY_PUT, key: key(index), value }, seqno(index + 1), 0 as never)
  }
  const outputs = await place.flush(tree, { tableBytes: 50_000 })
  // A block that is not finished is not counted: here it has one entry.
  assert.equal(outputs.length, Math.ceil(200 / 6))
  for (const { ref } of outputs) assert.ok(ref.bytes < 61_000, `${ref.bytes} bytes`)
})

test('all versions of a key that snapshots see are in one table, though it gets larger than it should', async () => {
  const place = new JobPlace()
  const tree = new BPlusTree({ pool: new ArenaPool() })
  const versions = Array.from({ length: 120 }, (_, index) => index + 1)
  for (const version of versions) {
    const put = { kind: ENTRY_PUT, key: key(version % 3), value: new Uint8Array(40) } as const
    tree.apply(put, seqno(version), 0 as never)
  }
  const metas = (await place.flush(tree, { tableBytes: 400 }, versions)).map(({ meta }) => decodeTableMeta(meta, ''))
  assert.deepEqual(
    metas.map(({ keyFirst, keyLast, entryCount }) => [keyFirst[0], keyLast[0], entryCount]),
    [0, 1, 2].map((each) => [each, each, 40]),
  )
})

test('samples divide a table into parts of the size that was asked for', async () => {
  const place = new JobPlace()
  const tree = new BPlusTree({ pool: new ArenaPool() })
  for (let index = 0; index < 2000; index++) {
    const long = new Uint8Array(100).fill(7)
    long[0] = index >>> 8
    long[1] = index
    tree.apply({ kind: ENTRY_PUT, key: long, value: new Uint8Array(60) }, seqno(index + 1), 0 as never)
  }
  const [output] = await place.flush(tree, { sampleBytes: 20_000, formatSettings: { blockBytes: 1000, codec: 'none' } })
  assert.ok(output !== undefined)
  const { samples } = decodeTableMeta(output.meta, '')
  const parts = Math.floor(output.ref.bytes / 20_000)
  assert.ok(samples.length >= parts - 2 && samples.length <= parts, `${samples.length} samples, ${parts} parts`)
  const numbers = [0, ...samples.map((sample) => ((sample[0] as number) << 8) | (sample[1] as number)), 2000]
  for (let index = 1; index < numbers.length - 1; index++) {
    const share = (numbers[index] as number) - (numbers[index - 1] as number)
    assert.ok(Math.abs(share - 2000 / (output.ref.bytes / 20_000)) < 30, `a part of ${share} keys`)
  }
  assert.ok(samples.every((sample) => sample.length === 64))
})
