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

/** Nothing is at hand: whoever wants a block has to read it. */
let lacking = false

/** A table of some hundred blocks over a cache for a few. */
async function open(cacheBytes: number): Promise<RowTableReader> {
  const files = new MemoryFileStore({ hash, readNow: true })
  const settings = { blockBytes: 2048 }
  const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings })
  const file = await files.open(ref)
  const through: FileReader = {
    ref,
    read: (offset, length, options) => file.read(offset, length, options),
    readSync: (offset, length, into) => file.readSync(offset, length, into),
    readNow: (offset, length, into) => (lacking ? undefined : file.readNow(offset, length, into)),
    close: () => file.close(),
  }
  const reader = rowTableFormat.reader(through, {
    order: BYTEWISE,
    hash,
    cache: new BlockCache({ cacheBytes }),
  })
  assert.ok(reader instanceof RowTableReader)
  await reader.load()
  return reader
}

const found = emptyFound()

function ask(reader: RowTableReader, number: number, fetch: BlockFetch): boolean | typeof PENDING {
  const { key } = entries[number] as (typeof entries)[number]
  return reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, found, fetch)
}

function checkFound(number: number): void {
  const { block, valueStart, valueLength } = found
  const { value } = entries[number] as (typeof entries)[number]
  assert.ok(Buffer.from(value).equals(block.subarray(valueStart, valueStart + valueLength)), `value of ${number}`)
}

function get(reader: RowTableReader, number: number): ArrayBufferLike {
  assert.equal(ask(reader, number, new BlockFetch()), true)
  checkFound(number)
  return found.block.buffer
}

type Step =
  | { readonly op: 'gets'; readonly number: number; readonly count: number }
  | { readonly op: 'scan'; readonly number: number; readonly reverse: boolean }
  | { readonly op: 'step'; readonly which: number; readonly reads: boolean }
  | { readonly op: 'close'; readonly which: number }
  | { readonly op: 'wait'; readonly number: number; readonly by: 'fill' | 'fillSync' | 'fillNow' }
  | { readonly op: 'resume' }

/** A scan that stands still now and then: what it has given must stay what it was until it is asked again. */
class Scan {
  readonly #cursor: Cursor
  readonly #batch = new EntryBatch(7)
  readonly #step: 1 | -1
  #next: number

  constructor(reader: RowTableReader, from: number, reverse: boolean) {
    const { key } = entries[from] as (typeof entries)[number]
    const range = reverse ? { upper: key } : { lower: key }
    this.#cursor = reader.cursor({ range, reverse, versions: 'newest', seqno: SEQNO_MAX })
    this.#step = reverse ? -1 : 1
    this.#next = from
  }

  /** Looks once more at what the last step gave, then goes on. */
  step(): void {
    this.#check()
    this.#next += this.#batch.count * this.#step
    while (this.#cursor.next(this.#batch) === PENDING) this.#cursor.fillSync()
    this.#check()
  }

  close(): void {
    this.#check()
    this.#cursor.close()
  }

  #check(): void {
    const batch = this.#batch
    for (let index = 0; index < batch.count; index++) {
      const { key, value } = entries[this.#next + index * this.#step] as (typeof entries)[number]
      const start = batch.keyStarts[index] as number
      assert.ok(Buffer.from(key).equals(batch.keys.subarray(start, batch.keyStarts[index + 1])), 'key of a scan')
      const block = batch.blocks[batch.valueBlocks[index] as number] as Uint8Array
      const valueStart = batch.valueStarts[index] as number
      const given = block.subarray(valueStart, valueStart + (batch.valueLengths[index] as number))
      assert.ok(Buffer.from(value).equals(given), 'value of a scan')
    }
  }
}

const gets = (count: number): Step => ({ op: 'gets', number: 0, count })
const step: Step = { op: 'step', which: 0, reads: false }
// What chance seldom comes to.
const READ_AT_ONCE: [Step[], number] = [[{ op: 'wait', number: 0, by: 'fillSync' }, gets(200), { op: 'resume' }], 0]
const SCANNED_FROM_CACHE: [Step[], number] = [
  [gets(1), { op: 'scan', number: 0, reverse: false }, step, gets(200), gets(200), step],
  30_000,
]

test('gets beyond the cache use the same memory again and again', async () => {
  const reader = await open(20_000)
  const buffers = new Set<ArrayBufferLike>()
  for (let round = 0; round < 20; round++)
    for (let number = 0; number < KEYS; number += 20) buffers.add(get(reader, number))
  // 300 KiB decoded in every round.
  assert.ok(buffers.size <= 4, `${buffers.size} pieces of memory`)
  await reader.close()
})

test('memory that a scan, or a read that waits, has a part of is not used again', async () => {
  const number = fc.constantFrom(0, 1, 700, 1400, 1401, KEYS - 1)
  const steps = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ op: fc.constant('gets' as const), number, count: fc.constantFrom(1, 100, 200) }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('scan' as const), number, reverse: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ op: fc.constant('step' as const), which: fc.nat(), reads: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('close' as const), which: fc.nat() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant('wait' as const),
        number,
        by: fc.constantFrom('fill' as const, 'fillSync' as const, 'fillNow' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('resume' as const) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60 }), fc.constantFrom(0, 5000, 30_000), async (list, cacheBytes) => {
      const reader = await open(cacheBytes)
      const scans: Scan[] = []
      const waiting: { readonly number: number; readonly fetch: BlockFetch }[] = []
      for (const each of list) {
        if (each.op === 'gets')
          for (let index = 0; index < each.count; index++) get(reader, (each.number + index * 37) % KEYS)
        else if (each.op === 'scan') scans.push(new Scan(reader, each.number, each.reverse))
        else if (each.op === 'step') {
          lacking = each.reads
          scans[each.which % scans.length]?.step()
          lacking = false
        } else if (each.op === 'close') scans.splice(each.which % (scans.length + 1), 1)[0]?.close()
        else if (each.op === 'wait') {
          const fetch = new BlockFetch()
          const { key } = entries[each.number] as (typeof entries)[number]
          fetch.want(reader.blocks, reader.meta?.index.lowerBound(key) ?? 0)
          if (each.by === 'fill') await fetch.fill()
          else if (each.by === 'fillSync') fetch.fillSync()
          else fetch.fillNow()
          waiting.push({ number: each.number, fetch })
        } else
          for (const { number: asked, fetch } of waiting.splice(0)) {
            assert.equal(ask(reader, asked, fetch), true)
            checkFound(asked)
            fetch.clear()
          }
      }
      for (const scan of scans) scan.close()
      await reader.close()
    }),
    { numRuns: 150, seed: 1, examples: [READ_AT_ONCE, SCANNED_FROM_CACHE] },
  )
})
