import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { numberedEntries } from '../testing/entry-model.ts'
import { contentOf, writeTable } from '../testing/table-bench.ts'
import { PART_PROPERTIES, fileIdentity, partSeed } from './file-identity.ts'
import { rowTableFormat } from './row-format.ts'
import { RowMeta, footerOf } from './row-meta.ts'
import { decodeProperties, encodeProperties } from './row-properties.ts'
import type { RowProperties } from './row-properties.ts'

const hash = await loadHash()
const files = new MemoryFileStore({ hash })
const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'table', entries: numberedEntries('k', 50, 3) })
const content = await contentOf(files, ref)

/** What the end of the table says, with properties that are changed under a checksum that is right. */
function metaOf(change: Partial<RowProperties>): RowMeta {
  const bytes = content.slice()
  const footer = footerOf(bytes, ref, hash)
  const { offset, length } = footer.properties
  const place = { file: ref.name, part: 'properties', offset } as const
  const changed = encodeProperties({ ...decodeProperties(bytes.subarray(offset, offset + length), place), ...change })
  assert.equal(changed.length, length)
  bytes.set(changed, offset)
  const checksum = hash.hash64(changed, partSeed(fileIdentity(hash, ref.name), PART_PROPERTIES, offset))
  return new RowMeta(bytes, { ...footer, properties: { offset, length, checksum } }, ref, hash, BYTEWISE)
}

test('what the properties say of range tombstones is true, and the keys are in the order that the table is opened with', () => {
  assert.equal(metaOf({}).properties.entryCount, 50)
  const more = { code: 'TABLE_CORRUPT', message: /ranges at table:\d+ is damaged: not as many as the properties say/ }
  assert.throws(() => metaOf({ rangeCount: 1 }), more)
  assert.throws(() => metaOf({ order: 'otherwis' }), { code: 'INCOMPATIBLE', message: /key order "otherwis"/ })
})
