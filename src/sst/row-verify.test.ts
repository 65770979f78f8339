/** What verification finds in tables whose bytes are whole, and that were written by somebody who broke the format's promises. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareBytes } from '../kernel/bytes.ts'
import { ENTRY_PUT } from '../kernel/entry.ts'
import { loadHash } from '../kernel/hash.ts'
import { seqno } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { FileReader } from '../fs/fs.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import type { ModelEntry } from '../testing/entry-model.ts'
import { writeTable } from '../testing/table-bench.ts'
import { rowTableFormat } from './row-format.ts'
import { verifyRowTable } from './row-verify.ts'

const hash = await loadHash()
const compare = BYTEWISE.compare.bind(BYTEWISE)
/** Takes every key for one after all others: whoever writes in it may write anything. */
const anything: KeyOrder = { name: 'made up', bytewise: false, compare: () => -1 }
const real: KeyOrder = { ...anything, compare }

const entry = (key: string, at: number): ModelEntry => ({
  key: Buffer.from(key),
  seqno: seqno(at),
  kind: ENTRY_PUT,
  value: Buffer.from('value'),
})

async function written(entries: readonly ModelEntry[], order: KeyOrder): Promise<FileReader> {
  const files = new MemoryFileStore({ hash })
  const settings = { blockBytes: 64, codec: 'none' }
  const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'table', entries, settings, order })
  return files.open(ref)
}

const many = Array.from({ length: 40 }, (_, index) => entry(`key ${String(index).padStart(3, '0')}`, index + 1))

test('entries out of order, versions out of order, and counts that are not those of the entries are damage', async () => {
  for (const [entries, message] of [
    [[entry('b', 1), entry('a', 2)], /keys do not ascend/],
    [[entry('a', 1), entry('a', 2)], /versions of a key are not newest first/],
    [[entry('a', 2), entry('a', 1)], /do not match the entries/],
  ] as const) {
    const file = await written(entries, anything)
    await verifyRowTable(file, 'bytes', hash, real, undefined)
    await assert.rejects(verifyRowTable(file, 'structure', hash, real, undefined), { code: 'TABLE_CORRUPT', message })
  }
  await verifyRowTable(await written(many, real), 'structure', hash, real, undefined)
})

test('an index and properties that name other keys than the entries are damage', async () => {
  const file = await written(many, real)
  const first = Buffer.from('key 000')
  const last = Buffer.from('key 039')
  /** `real`, in which one key is not itself. */
  const but = (other: Uint8Array, answer: number, within: number): KeyOrder => {
    let asked = 0
    return {
      ...real,
      compare: (a, aStart, aEnd, b, bStart, bEnd) => {
        const same =
          compareBytes(a.subarray(aStart, aEnd), other) === 0 && compareBytes(b.subarray(bStart, bEnd), other) === 0
        return same && ++asked > within ? answer : compare(a, aStart, aEnd, b, bStart, bEnd)
      },
    }
  }
  const rejects = (order: KeyOrder, message: RegExp): Promise<void> =>
    assert.rejects(verifyRowTable(file, 'structure', hash, order, undefined), { code: 'TABLE_CORRUPT', message })
  await rejects(but(first, 1, 0), /name another first key/)
  await rejects(but(last, 1, 0), /a separator is before the last key of its block/)
  await rejects(but(last, -1, 1), /name another last key/)
})

test('bytes that are whole in every part are damage where they are not those that the reference names', async () => {
  const file = await written(many, real)
  const other = '0'.repeat(file.ref.checksum.length)
  const changed = new Proxy(file, {
    get(target, name) {
      if (name === 'ref') return { ...target.ref, checksum: other }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  await assert.rejects(verifyRowTable(changed, 'bytes', hash, real, undefined), /checksum of the whole file/)
})
