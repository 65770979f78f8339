import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PENDING } from '../kernel/cursor.ts'
import type { Cursor } from '../kernel/cursor.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { emptyFound } from '../kernel/found.ts'
import { hashKey, loadHash } from '../kernel/hash.ts'
import { SEQNO_MAX } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { mergeCursors } from '../kernel/merge.ts'
import type { FileReader } from '../fs/fs.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { numberedEntries } from '../testing/entry-model.ts'
import { writeTable } from '../testing/table-bench.ts'
import { BlockCache } from './block-cache.ts'
import { BlockFetch } from './block-fetch.ts'
import { rowTableFormat } from './row-format.ts'
import { RowTableReader } from './row-reader.ts'

const KEYS = 3000
const entries = numberedEntries('key', KEYS, 60)
const hash = await loadHash()
const found = emptyFound()

/** With an older version of every fifth key, so that a cursor has to look at entries one by one. */
function withVersions(list: typeof entries): typeof entries {
  return list.flatMap((each, at) => (at % 5 === 0 ? [each, { ...each, seqno: 0, value: Uint8Array.of(1) }] : [each]))
}

/** Two tables of some hundred blocks, every other entry in each, over a cache for a few blocks. */
class Tables {
  readonly readers: RowTableReader[] = []
  /** Nothing is at hand: whoever wants a block has to read it. */
  lacking = false

  static async open(cacheBytes: number): Promise<Tables> {
    const tables = new Tables()
    const files = new MemoryFileStore({ hash, readNow: true })
    const cache = new BlockCache({ cacheBytes })
    for (const name of ['a', 'b']) {
      const half = entries.filter((_, number) => number % 2 === tables.readers.length)
      const settings = { blockBytes: 2048 }
      const { ref } = await writeTable(files, rowTableFormat, hash, { name, entries: withVersions(half), settings })
      const file = await files.open(ref)
      const through: FileReader = {
        ref,
        read: (offset, length, options) => file.read(offset, length, options),
        readSync: (offset, length, into) => file.readSync(offset, length, into),
        readNow: (offset, length, into) => (tables.lacking ? undefined : file.readNow(offset, length, into)),
        close: () => file.close(),
      }
      const reader = rowTableFormat.reader(through, { order: BYTEWISE, hash, cache })
      assert.ok(reader instanceof RowTableReader)
      await reader.load()
      tables.readers.push(reader)
    }
    return tables
  }

  of(number: number): RowTableReader {
    return this.readers[number % 2] as RowTableReader
  }

  /** Where the value is. */
  get(number: number, fetch: BlockFetch = new BlockFetch()): ArrayBufferLike {
    const { key, value } = entries[number] as (typeof entries)[number]
    assert.equal(this.of(number).get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, found, fetch), true)
    const { block, valueStart, valueLength } = found
    assert.ok(Buffer.from(value).equals(block.subarray(valueStart, valueStart + valueLength)), `value of ${number}`)
    return block.buffer
  }

  async close(): Promise<void> {
    for (const reader of this.readers) await reader.close()
  }
}

type Step =
  | { readonly op: 'gets'; readonly number: number; readonly count: number }
  | {
      readonly op: 'scan'
      readonly number: number
      readonly reverse: boolean
      readonly stream: boolean
      readonly alone: boolean
    }
  | { readonly op: 'step'; readonly which: number; readonly reads: boolean; readonly forget: boolean }
  | { readonly op: 'close'; readonly which: number }
  | { readonly op: 'wait'; readonly number: number; readonly by: 'fill' | 'fillSync' | 'fillNow' }
  | { readonly op: 'resume' }

/** A scan of both tables, or of one of them, that stands still now and then: what it has given stays what it was until it is asked again. */
class Scan {
  readonly #cursor: Cursor
  readonly #batch: EntryBatch
  readonly #step: number
  /** Of what is in the batch, and of what comes then. */
  #from = 0
  #next: number

  constructor(tables: Tables, { number, reverse, stream, alone }: Extract<Step, { op: 'scan' }>) {
    const { key } = entries[number] as (typeof entries)[number]
    const range = reverse ? { upper: key } : { lower: key }
    const options = { range, reverse, versions: 'newest', seqno: SEQNO_MAX } as const
    const readers = alone ? [tables.of(number)] : tables.readers
    const sources = readers.map((reader) => reader.cursor(options, stream ? 'stream' : 'point'))
    this.#cursor = mergeCursors(sources, BYTEWISE, options)
    this.#step = (reverse ? -1 : 1) * (alone ? 2 : 1)
    // One at a time: the newest version of a key is known when the next is looked at, which may be in another block.
    this.#batch = new EntryBatch(reverse && alone ? 1 : 7)
    this.#next = number
  }

  /** Looks once more at what the last step gave, then goes on. @param forget the batch is emptied, as where it is lent */
  step(forget: boolean, whileItWaits: () => void): void {
    this.#check()
    while (this.#cursor.next(this.#batch) === PENDING) {
      whileItWaits()
      this.#cursor.fillSync()
    }
    this.#from = this.#next
    this.#next += this.#batch.count * this.#step
    this.#check()
    if (forget) this.#batch.clear()
  }

  close(): void {
    this.#check()
    this.#cursor.close()
    this.#check()
  }

  #check(): void {
    const batch = this.#batch
    for (let index = 0; index < batch.count; index++) {
      const { key, value } = entries[this.#from + index * this.#step] as (typeof entries)[number]
      assert.ok(Buffer.from(key).equals(batch.keyAt(index)), 'key of a scan')
      assert.ok(Buffer.from(value).equals(batch.valueViewAt(index)), 'value of a scan')
    }
  }
}

async function run(steps: readonly Step[], cacheBytes: number): Promise<void> {
  const tables = await Tables.open(cacheBytes)
  const scans: Scan[] = []
  const waiting: { readonly number: number; readonly fetch: BlockFetch }[] = []
  for (const each of steps) {
    if (each.op === 'gets')
      for (let index = 0; index < each.count; index++) tables.get((each.number + index * 37) % KEYS)
    else if (each.op === 'scan') scans.push(new Scan(tables, each))
    else if (each.op === 'step') {
      tables.lacking = each.reads
      scans[each.which % scans.length]?.step(each.forget, () => {
        tables.lacking = false
        for (let number = 0; number < KEYS; number += 29) tables.get(number)
        tables.lacking = each.reads
      })
      tables.lacking = false
    } else if (each.op === 'close') scans.splice(each.which % (scans.length + 1), 1)[0]?.close()
    else if (each.op === 'wait') {
      const fetch = new BlockFetch()
      const { key } = entries[each.number] as (typeof entries)[number]
      const reader = tables.of(each.number)
      fetch.want(reader.blocks, reader.meta?.index.lowerBound(key) ?? 0)
      if (each.by === 'fill') await fetch.fill()
      else if (each.by === 'fillSync') fetch.fillSync()
      else fetch.fillNow()
      waiting.push({ number: each.number, fetch })
    } else
      for (const { number, fetch } of waiting.splice(0)) {
        tables.get(number, fetch)
        fetch.clear()
      }
  }
  for (const scan of scans) scan.close()
  await tables.close()
}

test('gets beyond the cache use the same memory again and again', async () => {
  const tables = await Tables.open(20_000)
  const buffers = new Set<ArrayBufferLike>()
  for (let round = 0; round < 20; round++)
    for (let number = 0; number < KEYS; number += 21) buffers.add(tables.get(number))
  // 300 KiB decoded in every round.
  assert.ok(buffers.size <= 4, `${buffers.size} pieces of memory`)
  await tables.close()
})

test('a merge of what is read once uses the same memory again and again', async () => {
  const tables = await Tables.open(0)
  const batch = new EntryBatch(50)
  const buffers = new Set<ArrayBufferLike>()
  for (let round = 0; round < 20; round++) {
    const options = { range: {}, reverse: false, versions: 'all', seqno: SEQNO_MAX } as const
    const sources = tables.readers.map((reader) => reader.cursor(options, 'stream'))
    const cursor = mergeCursors(sources, BYTEWISE, options)
    for (let count = cursor.next(batch); count !== 0; count = cursor.next(batch)) {
      if (count === PENDING) cursor.fillSync()
      for (const block of batch.blocks) buffers.add(block.buffer)
    }
    cursor.close()
  }
  assert.ok(buffers.size <= 6, `${buffers.size} pieces of memory`)
  await tables.close()
})

test('memory that a scan, or a read that waits, has a part of is not used again', async () => {
  const number = fc.constantFrom(0, 1, 700, 1400, 1401, KEYS - 1)
  const which = fc.nat()
  const yes = fc.boolean()
  const by = fc.constantFrom('fill' as const, 'fillSync' as const, 'fillNow' as const)
  const op = <Name extends string>(name: Name): fc.Arbitrary<Name> => fc.constant(name)
  const steps: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ op: op('gets'), number, count: fc.constantFrom(1, 100, 200) }) },
    { weight: 2, arbitrary: fc.record({ op: op('scan'), number, reverse: yes, stream: yes, alone: yes }) },
    { weight: 6, arbitrary: fc.record({ op: op('step'), which, reads: yes, forget: yes }) },
    { weight: 1, arbitrary: fc.record({ op: op('close'), which }) },
    { weight: 2, arbitrary: fc.record({ op: op('wait'), number, by }) },
    { weight: 2, arbitrary: fc.record({ op: op('resume') }) },
  )
  const gets = (count: number): Step => ({ op: 'gets', number: 0, count })
  const step: Step = { op: 'step', which: 0, reads: false, forget: false }
  const scan: Step = { op: 'scan', number: 0, reverse: false, stream: false, alone: true }
  // What chance seldom comes to.
  const readAtOnce: Step[] = [{ op: 'wait', number: 0, by: 'fillSync' }, gets(200), { op: 'resume' }]
  const fromCache: Step[] = [gets(1), scan, step, gets(200), gets(200), step]
  const back: Step = { op: 'scan', number: 1400, reverse: true, stream: false, alone: true }
  const backward = Array.from({ length: 60 }, (): Step[] => [{ ...step, reads: true, forget: true }, gets(100)]).flat()
  await fc.assert(fc.asyncProperty(fc.array(steps, { maxLength: 60 }), fc.constantFrom(0, 5000, 30_000), run), {
    numRuns: 400,
    seed: 1,
    examples: [
      [readAtOnce, 0],
      [fromCache, 30_000],
      [[back, ...backward], 0],
    ],
  })
})
