/** What every format for tables of ordered keys promises about range tombstones, as tests. */

import assert from 'node:assert/strict'
import { copyOf } from '../kernel/bytes.ts'
import { ENTRY_DELETE } from '../kernel/entry.ts'
import type { RangeFragment } from '../kernel/fragment-list.ts'
import { SEQNO_MAX } from '../kernel/ids.ts'
import { AFTER_ALL, BEFORE_ALL, compareCuts, cutAfter, cutBefore } from '../kernel/key-cut.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { isBetween } from '../kernel/range-tombstone.ts'
import type { RangeTombstones } from '../kernel/range-tombstone.ts'
import { DESCENDING } from './descending-order.ts'
import { batchesOf, describe, drainCursor, newestAt, randomEntries, scanOf } from './entry-model.ts'
import type { ModelEntry } from './entry-model.ts'
import { SeededRandom } from './seeded-random.ts'
import { NAME, isDamage, promises } from './table-bench.ts'
import type { Bench, TableFormatSuite } from './table-bench.ts'

const EVERYTHING = { range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' } as const

export function testTableRanges(suite: TableFormatSuite): void {
  const promise = promises(suite)

  for (const order of [BYTEWISE, DESCENDING]) {
    promise(
      `range tombstones delete the keys they cover, at their seqno and later (${order.name})`,
      async (bench) => {
        const random = new SeededRandom(30)
        const given = randomEntries(random, 200)
        const fragments = randomFragments(random, order, given, 25)
        const taken = new Set(fragments.flatMap(({ seqnos }) => seqnos))
        // Of one seqno there is one operation.
        const entries = await bench.write(
          given.filter(({ seqno }) => !taken.has(seqno)),
          fragments,
        )
        for (const { key, seqno: at } of [...entries, ...randomEntries(random, 60)]) {
          for (const seqnoAt of [at - 1, at + 3, 150, SEQNO_MAX]) {
            const expected = newestAt(entries, order, key, seqnoAt)
            const covering = newestOver(fragments, order, key, seqnoAt)
            const found = await bench.get(key, seqnoAt)
            if (covering > (expected?.seqno ?? 0)) {
              assert.deepEqual([found?.kind, found?.seqno], [ENTRY_DELETE, covering], 'a covered key is deleted')
              assert.equal(found?.value.length, 0, 'a deletion has no value')
            } else {
              assert.equal(found && describe(found), expected && describe(expected), 'what is newer is found')
            }
          }
        }
        for (const versions of ['all', 'newest'] as const) {
          const options = { ...EVERYTHING, versions }
          const seen = await drainCursor(bench.reader.cursor(options))
          const expected = scanOf(entries, order, options)
          assert.deepEqual(seen.map(describe), expected.map(describe), 'cursors yield entries, covered or not')
        }
        await bench.reader.verify('structure')
      },
      order,
    )
  }

  promise('range tombstones come back as they were given, and stay good when the reader is closed', async (bench) => {
    const random = new SeededRandom(31)
    const entries = randomEntries(random, 40)
    const fragments = randomFragments(random, BYTEWISE, entries, 12)
    await bench.write(entries, fragments)
    const found = await rangesOf(bench)
    await bench.reader.close()
    const given = fragments.flatMap(({ lower, upper, seqnos }) => seqnos.map((seqno) => ({ lower, upper, seqno })))
    assert.deepEqual(plain(found.list()), plain(given), 'every fragment with every seqno')
    assert.equal(found.count, given.length, 'count is one for each seqno of each fragment')
    assert.equal(bench.summary.properties.rangeCount, given.length, 'so is rangeCount')
    for (const { key } of entries) {
      const newest = newestOver(fragments, BYTEWISE, key, 50)
      assert.equal(found.newest(key, 0, key.length, 50), newest, 'lookups agree with the list')
    }
  })

  promise('a table without range tombstones says so', async (bench) => {
    await bench.write(randomEntries(new SeededRandom(32), 20))
    assert.equal((await rangesOf(bench)).count, 0, 'count is 0')
    assert.equal(bench.summary.properties.rangeCount, 0, 'rangeCount is 0')
  })

  promise('a table of range tombstones alone has no entries and deletes what it covers', async (bench) => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
    await bench.write(
      [],
      [
        { lower: cutBefore(bytes('b')), upper: cutBefore(bytes('d')), seqnos: [9, 4] },
        { lower: cutAfter(bytes('x')), upper: AFTER_ALL, seqnos: [7] },
      ],
    )
    const { properties } = bench.summary
    assert.deepEqual([properties.entryCount, properties.deleteCount, properties.rangeCount], [0, 0, 3], 'counts')
    assert.deepEqual([properties.seqnoFirst, properties.seqnoLast], [4, 9], 'seqnos are those of the tombstones')
    assert.deepEqual([properties.keyFirst.length, properties.keyLast.length], [0, 0], 'there is no first and last key')
    assert.deepEqual(await drainCursor(bench.reader.cursor(EVERYTHING)), [], 'a cursor ends at once')
    const at = async (key: string, seqno: number): Promise<number | undefined> => {
      return (await bench.get(bytes(key), seqno))?.seqno
    }
    assert.deepEqual([await at('b', 99), await at('c', 8), await at('c', 3)], [9, 4, undefined], 'newest at the seqno')
    assert.deepEqual([await at('a', 99), await at('d', 99), await at('x', 99)], [undefined, undefined, undefined])
    assert.equal(await at('xx', 99), 7, 'without an upper bound')
    assert.equal(await bench.ask((reader, fetch) => reader.approximateBytes({}, fetch)), 0, 'no bytes are of keys')
    await bench.reader.verify('bytes')
    await bench.reader.verify('structure')
  })

  promise('damage to range tombstones is a typed error, never an answer, and verify reports it', async (bench) => {
    const random = new SeededRandom(33)
    const given = randomEntries(random, 20)
    const fragments = randomFragments(random, BYTEWISE, given, 10)
    const entries = await bench.write(given, fragments)
    const { ref } = bench.summary
    const content = await bench.content()
    const expected = plain((await rangesOf(bench)).list())
    const intact = bench.reader
    for (let at = 0; at < content.length; at++) {
      const damaged = copyOf(content)
      damaged[at] = (damaged[at] as number) ^ (1 << (at & 7))
      const reader = await bench.readDamaged(ref, damaged)
      try {
        const ranges = await bench.ask((_, fetch) => reader.rangeTombstones(fetch))
        assert.deepEqual(plain(ranges.list()), expected, `byte ${at}: no damage is passed on as a range tombstone`)
      } catch (error) {
        if (!isDamage(error)) throw error
      }
      await assert.rejects(reader.verify('bytes'), isDamage, `byte ${at}: verify notices every damaged byte`)
      await reader.close()
    }
    assert.equal((await drainCursor(intact.cursor(EVERYTHING))).length, entries.length)
  })

  promise('when range tombstones arrive, between the entries, makes no difference to the file', async (bench) => {
    const random = new SeededRandom(34)
    const given = randomEntries(random, 1)
    const fragments = randomFragments(random, BYTEWISE, randomEntries(random, 30), 8)
    const checksums: string[] = []
    for (const count of [fragments.length, fragments.length - 1]) {
      // One fragment less puts another one before the entries; it is added behind them again.
      const files = await suite.openFiles()
      const writer = suite.format.writer(await files.create(NAME), {
        order: BYTEWISE,
        hash: suite.hash,
        settings: suite.settings,
      })
      for (const fragment of fragments.slice(0, count)) writer.appendRange(fragment)
      for (const batch of batchesOf(given, 4)) writer.append(batch, 0, batch.count)
      for (const fragment of fragments.slice(count)) writer.appendRange(fragment)
      checksums.push((await writer.finish()).ref.checksum)
      await files.close()
    }
    assert.equal(checksums[0], checksums[1], 'how they arrive does not matter')
    await bench.write(given)
  })
}

async function rangesOf(bench: Bench): Promise<RangeTombstones> {
  return await bench.ask((reader, fetch) => reader.rangeTombstones(fetch))
}

/** Fragments between cuts at keys like those of `entries`, some of them adjoining, with one to three seqnos. */
export function randomFragments(
  random: SeededRandom,
  order: KeyOrder,
  entries: readonly ModelEntry[],
  count: number,
): readonly RangeFragment[] {
  const cuts = Array.from({ length: count }, () => {
    const { key } = entries[random.below(entries.length)] as ModelEntry
    return random.once(2) ? cutBefore(key) : cutAfter(key)
  })
  if (random.once(2)) cuts.push(BEFORE_ALL, AFTER_ALL)
  cuts.sort((a, b) => compareCuts(order, a, b))
  const fragments: RangeFragment[] = []
  for (let index = 0; index + 1 < cuts.length; index++) {
    const [lower, upper] = [cuts[index] ?? BEFORE_ALL, cuts[index + 1] ?? AFTER_ALL]
    if (random.once(3) || compareCuts(order, lower, upper) === 0) continue
    const seqnos = Array.from({ length: 1 + random.below(3) }, () => 1 + random.below(entries.length * 2))
    fragments.push({ lower, upper, seqnos: [...new Set(seqnos)].sort((a, b) => b - a) })
  }
  return fragments
}

function newestOver(fragments: readonly RangeFragment[], order: KeyOrder, key: Uint8Array, at: number): number {
  const fragment = fragments.find((each) => isBetween(each, order, key, 0, key.length))
  return fragment?.seqnos.find((seqno) => seqno <= at) ?? 0
}

function plain(list: ReturnType<RangeTombstones['list']>): unknown {
  return list.map(({ lower, upper, seqno }) => [[...lower.key], lower.side, [...upper.key], upper.side, seqno])
}
