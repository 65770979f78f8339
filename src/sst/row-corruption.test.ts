import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VarveError } from '../kernel/errors.ts'
import { isCode } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { emptyFound } from '../kernel/found.ts'
import { hashKey, loadHash } from '../kernel/hash.ts'
import { SEQNO_MAX, fileName } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { drainCursor, describe, randomEntries, sortEntries } from '../testing/entry-model.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { contentOf, writeTable } from '../testing/table-bench.ts'
import { numberedEntries } from '../testing/entry-model.ts'
import { BlockCache } from './block-cache.ts'
import { BlockFetch } from './block-fetch.ts'
import { fileIdentity } from './file-identity.ts'
import { FOOTER_BYTES, ROW_FORMAT_VERSION } from './row-footer.ts'
import { rowTableFormat } from './row-format.ts'
import { footerOf } from './row-meta.ts'
import type { TableReader } from './sst.ts'

const hash = await loadHash()
const everything = { range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' } as const

async function openDamaged(ref: FileRef, content: Uint8Array): Promise<TableReader> {
  const files = new MemoryFileStore({ hash })
  const writer = await files.create(ref.name)
  await writer.write(content)
  await writer.finish()
  return rowTableFormat.reader(await files.open(ref), { order: BYTEWISE, hash, cache: new BlockCache() })
}

/** The error of reading everything, or undefined when all answers are as `expected`. */
async function failureOf(reader: TableReader, expected: readonly string[]): Promise<VarveError | undefined> {
  try {
    const seen = await drainCursor(reader.cursor(everything))
    assert.deepEqual(seen.map(describe), expected, 'damage is never passed on as an answer')
    return undefined
  } catch (error) {
    if (isCode(error, 'TABLE_CORRUPT', 'INCOMPATIBLE', 'FILE_MISSING')) return error
    throw error
  } finally {
    await reader.close()
  }
}

for (const codec of ['lz4', 'none']) {
  test(`every flipped bit and every truncation is a typed error or answers as before (${codec})`, async () => {
    const files = new MemoryFileStore({ hash })
    const entries = sortEntries(randomEntries(new SeededRandom(20), 25), BYTEWISE)
    const { ref } = await writeTable(files, rowTableFormat, hash, {
      name: 'a',
      entries,
      settings: { blockBytes: 256, codec },
    })
    const content = await contentOf(files, ref)
    const expected = entries.map(describe)
    const footer = footerOf(content, ref, hash)
    const harmless: number[] = []
    for (let bit = 0; bit < content.length * 8; bit++) {
      const damaged = content.slice()
      damaged[bit >>> 3] = (damaged[bit >>> 3] as number) ^ (1 << (bit & 7))
      if ((await failureOf(await openDamaged(ref, damaged), expected)) === undefined) harmless.push(bit >>> 3)
    }
    const { offset, length } = footer.filter
    const inFilter = harmless.every((at) => at >= offset && at < offset + length)
    assert.ok(inFilter && harmless.length === length * 8, 'only the filter can be done without')
    for (let cut = 0; cut < content.length; cut++) {
      const failure = await failureOf(await openDamaged({ ...ref, bytes: cut }, content.slice(0, cut)), expected)
      assert.ok(failure !== undefined, `a table cut to ${cut} bytes is noticed`)
    }
  })
}

test('swapped blocks, a block of another file and a file under another name are told apart', async () => {
  const files = new MemoryFileStore({ hash })
  const settings = { blockBytes: 512, codec: 'none' }
  const entries = numberedEntries('k', 20, 600)
  const a = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings })
  const b = await writeTable(files, rowTableFormat, hash, { name: 'b', entries, settings })
  const changed = entries.map((entry) => ({ ...entry, value: entry.value.map((byte) => byte ^ 1) }))
  const c = await writeTable(files, rowTableFormat, hash, { name: 'c', entries: changed, settings })
  const [contentA, contentB] = [await contentOf(files, a.ref), await contentOf(files, b.ref)]
  const other = await contentOf(files, c.ref)
  const expected = entries.map(describe)
  assert.equal(contentA.length, contentB.length)
  // An entry each.
  const blockEnd = footerOf(contentA, a.ref, hash).ranges.offset / entries.length
  assert.ok(Number.isInteger(blockEnd) && blockEnd > 512)
  const exchanged = [
    // Whole blocks, each of them right in another place: the first two, and the first of the other file.
    [contentA.subarray(blockEnd, 2 * blockEnd), contentA.subarray(0, blockEnd)],
    [other.subarray(0, blockEnd), contentA.subarray(blockEnd, 2 * blockEnd)],
  ] as const
  for (const [first, second] of exchanged) {
    const swapped = contentA.slice()
    swapped.set(first, 0)
    swapped.set(second, blockEnd)
    const failure = await failureOf(await openDamaged(a.ref, swapped), expected)
    const { part, file, offset } = failure?.details ?? {}
    assert.deepEqual([failure?.code, part, file, offset], ['TABLE_CORRUPT', 'block', 'a', 0])
  }
  const renamed = await failureOf(await openDamaged(a.ref, contentB), expected)
  assert.deepEqual([renamed?.code, renamed?.details['part']], ['TABLE_CORRUPT', 'footer'])
})

test('a damaged block is named with its place, and other keys stay readable', async () => {
  const files = new MemoryFileStore({ hash })
  const entries = numberedEntries('k', 200, 20)
  const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings: { blockBytes: 512 } })
  const damaged = await contentOf(files, ref)
  damaged[10] = (damaged[10] as number) ^ 1
  const reader = await openDamaged(ref, damaged)
  const fetch = new BlockFetch()
  const found = emptyFound()
  const get = (key: Uint8Array): boolean => {
    for (;;) {
      const answer = reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, found, fetch)
      if (typeof answer === 'boolean') return answer
      fetch.fillSync()
    }
  }
  const [first] = entries
  assert.ok(first !== undefined)
  assert.throws(
    () => get(first.key),
    (error) => {
      assert.ok(isCode(error, 'TABLE_CORRUPT'))
      assert.deepEqual([error.details['file'], error.details['offset'], error.details['part']], ['a', 0, 'block'])
      return true
    },
  )
  fetch.clear()
  assert.equal(get((entries[150] as (typeof entries)[0]).key), true)
  // What was read before the damage comes out first, and the cursor does not move past it.
  const cursor = reader.cursor({ ...everything, reverse: true, versions: 'newest' })
  await assert.rejects(drainCursor(cursor, 1000), (error) => isCode(error, 'TABLE_CORRUPT'))
  await reader.close()
})

test('a damaged filter costs reads and changes no answer; verify reports it', async () => {
  const files = new MemoryFileStore({ hash })
  const entries = numberedEntries('k', 200, 20)
  const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries })
  const damaged = await contentOf(files, ref)
  const { offset, length } = footerOf(damaged, ref, hash).filter
  damaged.fill(0, offset, offset + length)
  const reader = await openDamaged(ref, damaged)
  await assert.rejects(
    reader.verify('bytes'),
    (error) => isCode(error, 'TABLE_CORRUPT') && error.details['part'] === 'filter',
  )
  const fetch = new BlockFetch()
  for (const { key } of entries) {
    while (reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, emptyFound(), fetch) !== true) fetch.fillSync()
    fetch.clear()
  }
  await reader.close()
})

test('a whole footer of a newer version is INCOMPATIBLE, not damage', async () => {
  const files = new MemoryFileStore({ hash })
  const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries: numberedEntries('k', 3, 3) })
  const newer = await contentOf(files, ref)
  const trailer = newer.subarray(newer.length - 16)
  trailer[0] = ROW_FORMAT_VERSION + 1
  const covered = Uint8Array.from([...trailer.subarray(0, 4), ...trailer.subarray(8)])
  const seed = Number(BigInt.asUintN(32, fileIdentity(hash, fileName('a'))))
  new DataView(trailer.buffer, trailer.byteOffset).setUint32(4, hash.hash32(covered, seed), true)
  const failure = await failureOf(await openDamaged(ref, newer), [])
  assert.deepEqual([failure?.code, failure?.details['found']], ['INCOMPATIBLE', ROW_FORMAT_VERSION + 1])
  assert.equal(FOOTER_BYTES, 128)
})
