/** What every format for tables of ordered keys promises, as tests. */

import assert from 'node:assert/strict'
import { copyOf } from '../kernel/bytes.ts'
import type { CursorOptions } from '../kernel/cursor.ts'
import { PENDING } from '../kernel/cursor.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../kernel/entry.ts'
import { isCode } from '../kernel/errors.ts'
import { emptyFound } from '../kernel/found.ts'
import { hashKey } from '../kernel/hash.ts'
import { SEQNO_MAX, fileName, seqno } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import { BlockFetch } from '../sst/block-fetch.ts'
import { DESCENDING } from './descending-order.ts'
import {
  batchesOf,
  describe,
  drainCursor,
  entryAt,
  newestAt,
  randomEntries,
  scanOf,
  sortEntries,
} from './entry-model.ts'
import type { ModelEntry } from './entry-model.ts'
import { SeededRandom } from './seeded-random.ts'
import { NAME, isDamage, promises } from './table-bench.ts'
import type { TableFormatSuite } from './table-bench.ts'
import { testTableRanges } from './table-range-conformance.ts'

const EVERYTHING: CursorOptions = { range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' }

/** A test for each promise of a format for tables of ordered keys. */
export function testTableFormat(suite: TableFormatSuite): void {
  const promise = promises(suite)
  for (const order of [BYTEWISE, DESCENDING]) {
    promise(
      `get finds the newest version at or below the seqno, and nothing else (${order.name})`,
      async (bench) => {
        const entries = await bench.write(randomEntries(new SeededRandom(1), 300))
        const absent = randomEntries(new SeededRandom(2), 60)
        for (const { key, seqno: at } of [...entries, ...absent]) {
          for (const seqnoAt of [at - 1, at, at + 5, SEQNO_MAX]) {
            const expected = newestAt(entries, order, key, seqnoAt)
            const found = await bench.get(key, seqnoAt)
            assert.equal(
              found && describe(found),
              expected && describe(expected),
              'get agrees with the entries written',
            )
          }
        }
      },
      order,
    )

    promise(
      `cursors agree with the entries written, whatever range, direction, seqno, versions and batch (${order.name})`,
      async (bench) => {
        const random = new SeededRandom(3)
        const entries = await bench.write(randomEntries(random, 300))
        for (let round = 0; round < 150; round++) {
          const options = randomOptions(random, entries)
          const capacity = [1, 2, 7, 64][round % 4] as number
          const cursor = bench.reader.cursor(options, random.once(2) ? 'point' : 'stream')
          const seen = await drainCursor(cursor, capacity)
          const expected = scanOf(entries, order, options)
          assert.deepEqual(seen.map(describe), expected.map(describe), 'a cursor yields exactly what is in its range')
        }
      },
      order,
    )
  }

  promise('properties are those of the entries, and the summary and the reader agree', async (bench) => {
    const entries = await bench.write(randomEntries(new SeededRandom(4), 200))
    const first = entries[0] as ModelEntry
    const last = entries.at(-1) as ModelEntry
    const properties = await bench.ask((reader, fetch) => reader.properties(fetch))
    for (const said of [properties, bench.summary.properties]) {
      assert.equal(said.entryCount, entries.length, 'entryCount counts entries')
      assert.equal(
        said.deleteCount,
        entries.filter(({ kind }) => kind === ENTRY_DELETE).length,
        'deleteCount counts them',
      )
      assert.equal(said.keyBytes, sum(entries.map(({ key }) => key.length)), 'keyBytes adds up keys as given')
      assert.equal(said.valueBytes, sum(entries.map(({ value }) => value.length)), 'valueBytes adds up values')
      assert.equal(said.seqnoFirst, Math.min(...entries.map((entry) => entry.seqno)), 'seqnoFirst is the least')
      assert.equal(said.seqnoLast, Math.max(...entries.map((entry) => entry.seqno)), 'seqnoLast is the greatest')
      assert.deepEqual([...said.keyFirst], [...first.key], 'keyFirst is the first key')
      assert.deepEqual([...said.keyLast], [...last.key], 'keyLast is the last key')
      assert.equal(said.order, 'bytewise', 'order is named')
    }
    assert.equal(bench.summary.ref.name, NAME, 'the reference names the file')
  })

  promise(
    'a reader answers PENDING for what it lacks, changes nothing, and answers after a few fills',
    async (bench) => {
      const entries = await bench.write(randomEntries(new SeededRandom(5), 200))
      const { key, seqno: at } = entries[100] as ModelEntry
      const fetch = new BlockFetch()
      const found = emptyFound()
      const hash = hashKey(key, 0, key.length, 0)
      const ask = (): unknown => bench.reader.get(key, hash, seqno(at), found, fetch)
      assert.equal(ask(), PENDING, 'a reader that has read nothing lacks something')
      assert.equal(ask(), PENDING, 'asking again does not help')
      assert.equal(found.kind, 0, 'nothing was put into what the caller lent')
      assert.equal(fetch.pending, true, 'the fetch knows what is lacking')
      let fills = 0
      while (ask() === PENDING) {
        await fetch.fill()
        assert.ok(++fills <= 4, 'what a fill brings stays until the fetch is cleared, whatever the cache does')
      }
      assert.equal(ask(), true, 'the entry is found')
      fetch.clear()
    },
  )

  promise(
    'one fetch serves many concurrent lookups, one after the other, without leaking into the next',
    async (bench) => {
      const entries = await bench.write(randomEntries(new SeededRandom(6), 150))
      const lookups = entries.map(async (entry) => {
        const found = await bench.get(entry.key, entry.seqno)
        assert.equal(found && describe(found), describe(entry), 'concurrent lookups do not disturb each other')
      })
      await Promise.all(lookups)
    },
  )

  promise('synchronous fills answer as asynchronous ones do, or say WOULD_BLOCK and change nothing', async (bench) => {
    const entries = await bench.write(randomEntries(new SeededRandom(7), 150))
    const cursor = bench.reader.cursor(EVERYTHING)
    const batch = new EntryBatch(16)
    assert.equal(cursor.next(batch), PENDING, 'a cursor that has read nothing lacks something')
    if (!bench.files.supports.syncRead) {
      assert.throws(() => cursor.fillSync(), code('WOULD_BLOCK'), 'fillSync says that it would block')
      assert.deepEqual((await drainCursor(cursor)).length, entries.length, 'the cursor goes on with fill()')
      return
    }
    const seen: ModelEntry[] = []
    for (let count = cursor.next(batch); count !== 0; count = cursor.next(batch)) {
      if (count === PENDING) cursor.fillSync()
      else for (let index = 0; index < count; index++) seen.push(entryAt(batch, index))
    }
    cursor.close()
    assert.deepEqual(seen.map(describe), entries.map(describe), 'fillSync brings the same bytes')
  })

  promise('a cursor that has ended stays at its end', async (bench) => {
    await bench.write(randomEntries(new SeededRandom(8), 20))
    const cursor = bench.reader.cursor(EVERYTHING)
    const batch = new EntryBatch(64)
    for (let count = cursor.next(batch); count !== 0; count = cursor.next(batch))
      if (count === PENDING) await cursor.fill()
    assert.equal(cursor.next(batch), 0, '0 is for good')
    cursor.close()
    cursor.close()
  })

  promise('an aborted fill says ABORTED, and a later one succeeds', async (bench) => {
    await bench.write(randomEntries(new SeededRandom(9), 50))
    const fetch = new BlockFetch()
    assert.equal(bench.reader.properties(fetch), PENDING, 'nothing has been read')
    await assert.rejects(fetch.fill(AbortSignal.abort()), code('ABORTED'), 'an aborted signal is noticed')
    const cursor = bench.reader.cursor(EVERYTHING)
    assert.equal(cursor.next(new EntryBatch(4)), PENDING, 'nothing has been read')
    await assert.rejects(cursor.fill(AbortSignal.abort()), code('ABORTED'), 'an aborted signal is noticed by cursors')
    assert.notEqual((await drainCursor(cursor)).length, 0, 'the cursor is not harmed')
  })

  promise('empty keys, empty values, long keys and large values survive among small ones', async (bench) => {
    const long = new Uint8Array(65_536).fill(0x61)
    const large = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 31) >>> 3)
    const entries = await bench.write([
      { key: new Uint8Array(0), seqno: 9, kind: ENTRY_PUT, value: new Uint8Array(0) },
      { key: new Uint8Array(0), seqno: 4, kind: ENTRY_PUT, value: large },
      { key: Uint8Array.of(0x61), seqno: 5, kind: ENTRY_PUT, value: Uint8Array.of(1) },
      { key: long, seqno: 6, kind: ENTRY_PUT, value: Uint8Array.of(2) },
      { key: Uint8Array.from([...long, 0]), seqno: 7, kind: ENTRY_PUT, value: large.subarray(0, 100_000) },
      { key: Uint8Array.of(0xff), seqno: 2 ** 52, kind: ENTRY_PUT, value: new Uint8Array(70_000) },
      { key: Uint8Array.of(0xff), seqno: 1, kind: ENTRY_DELETE, value: new Uint8Array(0) },
    ])
    for (const entry of entries) {
      const found = await bench.get(entry.key, entry.seqno)
      assert.ok(found !== undefined && Buffer.compare(found.value, entry.value) === 0, 'a value comes back whole')
    }
    const seen = await drainCursor(bench.reader.cursor(EVERYTHING), 2)
    assert.deepEqual(seen.map(describe), entries.map(describe), 'a cursor yields all of them')
    await bench.reader.verify('structure')
  })

  promise('values found earlier stay valid while others are read', async (bench) => {
    const entries = await bench.write(randomEntries(new SeededRandom(10), 200))
    const { key, seqno: at, value } = entries[3] as ModelEntry
    const found = emptyFound()
    await bench.lookUp(key, at, found)
    await drainCursor(bench.reader.cursor(EVERYTHING))
    for (const entry of entries) await bench.get(entry.key, entry.seqno)
    const view = found.block.subarray(found.valueStart, found.valueStart + found.valueLength)
    assert.deepEqual([...view], [...value], 'a found value is valid as long as its block is held')
  })

  promise('approximateBytes grows with the range, from nothing to about the file', async (bench) => {
    const entries = await bench.write(randomEntries(new SeededRandom(11), 300))
    const middle = (entries[150] as ModelEntry).key
    const size = (range: KeyRange): Promise<number> =>
      bench.ask((reader, fetch) => reader.approximateBytes(range, fetch))
    const all = await size({})
    const lower = await size({ upper: middle })
    assert.ok(all > 0 && all <= bench.summary.ref.bytes, 'the whole range is about the file')
    assert.ok(lower > 0 && lower < all, 'a part of the range takes a part of it')
    assert.equal(await size({ lower: middle, upper: middle, upperOpen: true }), 0, 'an empty range takes nothing')
  })

  promise('verify accepts what the writer wrote, at both levels', async (bench) => {
    await bench.write(randomEntries(new SeededRandom(12), 300))
    await bench.reader.verify('bytes')
    await bench.reader.verify('structure')
    await assert.rejects(bench.reader.verify('bytes', AbortSignal.abort()), code('ABORTED'), 'verify can be aborted')
  })

  promise('every damaged byte is a typed error or changes no answer, and verify reports it', async (bench) => {
    const entries = await bench.write(randomEntries(new SeededRandom(13), 60))
    const { ref } = bench.summary
    const content = await bench.content()
    const expected = scanOf(entries, BYTEWISE, EVERYTHING).map(describe)
    for (let at = 0; at < content.length; at += 3) {
      const damaged = copyOf(content)
      damaged[at] = (damaged[at] as number) ^ (1 << (at & 7))
      const reader = await bench.readDamaged(ref, damaged)
      await tolerating(async () => {
        const seen = await drainCursor(reader.cursor(EVERYTHING))
        assert.deepEqual(seen.map(describe), expected, `byte ${at}: no damage is passed on as an answer`)
      })
      await assert.rejects(reader.verify('bytes'), isDamage, `byte ${at}: verify notices every damaged byte`)
      await reader.close()
    }
  })

  promise('a shorter file, another file of the same length and an empty file are typed errors', async (bench) => {
    await bench.write(randomEntries(new SeededRandom(14), 60))
    const { ref } = bench.summary
    const content = await bench.content()
    for (const length of [0, 1, content.length >>> 1, content.length - 1]) {
      const reader = await bench.readDamaged({ ...ref, bytes: length }, copyOf(content, 0, length))
      await assert.rejects(drainCursor(reader.cursor(EVERYTHING)), isDamage, 'a truncated table is not read')
      await reader.close()
    }
    const renamed = await bench.readDamaged({ ...ref, name: fileName('000002-table') }, content)
    await assert.rejects(drainCursor(renamed.cursor(EVERYTHING)), isDamage, "another file's content is not read")
    await renamed.close()
  })

  promise('a table in another key order is INCOMPATIBLE', async (bench) => {
    await bench.write(randomEntries(new SeededRandom(15), 20))
    const reader = await bench.read(bench.files, bench.summary.ref, DESCENDING)
    await assert.rejects(drainCursor(reader.cursor(EVERYTHING)), code('INCOMPATIBLE'), 'the key order is checked')
    await reader.close()
  })

  promise('an aborted table leaves no file, and settings nobody knows are a TypeError', async (bench) => {
    const sink = await bench.files.create(NAME)
    const options = { order: BYTEWISE, hash: suite.hash }
    assert.throws(
      () => suite.format.writer(sink, { ...options, settings: { noSuchSetting: 1 } }),
      TypeError,
      'unknown names',
    )
    const writer = suite.format.writer(sink, options)
    for (const batch of batchesOf(sortEntries(randomEntries(new SeededRandom(16), 50), BYTEWISE), 16)) {
      writer.append(batch, 0, batch.count)
    }
    await writer.drain()
    await writer.abort()
    await writer.abort()
    assert.deepEqual(await bench.files.list(), [], 'nothing of an aborted table is visible')
  })

  promise('the same entries in other batches make the same file', async (bench) => {
    const entries = sortEntries(randomEntries(new SeededRandom(17), 200), BYTEWISE)
    const checksums = await Promise.all(
      [1, 3, 64, 256].map(async (capacity) => {
        const files = await suite.openFiles()
        const summary = await bench.writeTo(files, entries, capacity)
        await files.close()
        return summary.ref.checksum
      }),
    )
    assert.equal(new Set(checksums).size, 1, 'how entries arrive does not matter')
  })

  testTableRanges(suite)
}

function randomOptions(random: SeededRandom, entries: readonly ModelEntry[]): CursorOptions {
  const key = (): Uint8Array => {
    const near = (entries[random.below(entries.length)] as ModelEntry).key
    return random.once(3) ? Uint8Array.from([...near, random.below(2)]) : near
  }
  const range = {
    ...(random.once(3) ? {} : { lower: key(), lowerOpen: random.once(2) }),
    ...(random.once(3) ? {} : { upper: key(), upperOpen: random.once(2) }),
  }
  const reverse = random.once(2)
  const versions = reverse || random.once(2) ? 'newest' : 'all'
  return { range, reverse, seqno: random.once(2) ? SEQNO_MAX : seqno(random.below(entries.length * 2)), versions }
}

async function tolerating(action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (!isDamage(error)) throw error
  }
}

function code(expected: 'ABORTED' | 'INCOMPATIBLE' | 'WOULD_BLOCK'): (error: unknown) => boolean {
  return (error) => isCode(error, expected)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
