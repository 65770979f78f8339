import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PENDING } from '../kernel/cursor.ts'
import { loadHash } from '../kernel/hash.ts'
import { SEQNO_MAX, fileName } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { drainCursor } from '../testing/entry-model.ts'
import { BlockCache } from './block-cache.ts'
import { BlockFetch } from './block-fetch.ts'
import { rowTableFormat } from './row-format.ts'

/** A file of version 1 under the name below, as it was written when the format was fixed. Never replaced. */
const GOLDEN_1 =
  '+QAAAKIKAAAACAAAAAEAAQASAgcAEzAEAJMxAAAAMgAAADMEAJM0AAAANQAAADYEAA8CAAT/KgUACwAXACkALgAuAEwAcAB1ALExMQAxMrEyMTOxAb' +
  'IzMTSxNDEDZ29sZGVuLzBvbGRlcnZhbHVlIAYACw8pABYPRwAKYCBvbGRlcuwAAACiBQAAAAcAAAAKAAEAEQIHAJM3MAAAODAAADkEACEwMRcABQIA' +
  '/xIqAFoAWgBfAJsAoTAhMaIxIQAhMmdvbGRlbi92YWx1ZSAGAEEAYAAfcl8AI2B2YWx1ZSB3AAAAIgIAAQASYwcAEAAQAP8UZGxvZwAAAHoAAAUABQ' +
  'AAAEIARgABBjEAZW4vMTF2YWx1ZSAGACdgZSBsYXN0AwEACWdvbGRlbi8wMwMIATUCYlsDCQABBwExAWIDAAJ6egQBgICAgIAgBgAAACUUEBEGESAQ' +
  'AAIwEAAAAJMDBCAFVBAgAAATEJEBDABEIgQgAAMEFgAAAAAMQCAAAAICASACAAUCAABAMAQAIAgDAAAAAAAAANYhJJrD1txlAQAAABMAAAAC1zj2q1' +
  'fjLyZfK2QRJeCXyrI8qQk77PWCAAAAXgAAAEAAAAD5AAAA7AAAAHcAAAAAAAAACQAAABIAAAATAAAAZ29sZGVuLzA2Z29sZGVuLzEwehECDZEB1gIE' +
  'AYCAgICAIAlnb2xkZW4vMDABeghieXRld2lzZdYhJJrD1txlIAEAAAAAAAAqAAAAAAAAALnVLYP+17a9SgEAAAAAAABEAAAAAAAAAPa6YbmL+9WWjg' +
  'EAAAAAAABrAAAAAAAAAOC46ekBxGyt+QEAAAAAAAAkAAAAAAAAAOKL3lcp5iRVlk+cxc59XYQBAAAAjwU0B3ZhcnZlcm93'

/** The same of version 2. */
const GOLDEN_2 =
  'hgEAAPYaDwcBFAICAAUGDBIFAB4kBSowAAU8MdBAEBDQQQ8Q0EAQEc9ABvoGAAAEACgwAAEAZQEwAAEBAQQAGPccAA4CAHBnb2xkZW4vBgB/cnZhbHVl' +
  'IAYACw8pABYPRwBSD2UABQ+mAChgdmFsdWUgXwAAAP8QAgBjBQEBCQFCBAz0ZxNvkWyUZJxlbi8xMXZhbHVlIAYAJ2BlIGxhc3QDAQAJZ29sZGVuLzAz' +
  'AwgBNQJiWwMJAAEHATEBYgMAAnp6BAGAgICAgCAGAAAAJRQQEQYRIBAAAjAQAAAAkwMEIAVUECAAABMQkQEMAEQiBCAAAwQWAAAAAAxAIAAAAgIBIAIA' +
  'BQIAAEAwBAAgCAIAAAAAAAAA2HHqOw1Zxx0DAAAACgAAALxdL1dlkwAmmHLt+GrHfCJyAAAALwAAAOMBAAB7AAAAAAAAAAkAAAAKAAAAZ29sZGVuLzEw' +
  'ehECDZEB1gIEAYCAgICAIAlnb2xkZW4vMDABeghieXRld2lzZdhx6jsNWccdoQAAAAAAAAAqAAAAAAAAAJofAkftJ9DxywAAAAAAAABEAAAAAAAAAACw' +
  'Sb8qFhnUDwEAAAAAAABOAAAAAAAAANOOuaKueq7lXQEAAAAAAAAkAAAAAAAAAN8I4zP98Nx7zhfVlSio5EMCAAAAT1gnfHZhcnZlcm93'

const hash = await loadHash()

const FILES = [
  { ref: { name: 'golden-row-1', bytes: 669, checksum: 'b9387ec2142f63a6' }, content: GOLDEN_1 },
  { ref: { name: 'golden-row-2', bytes: 513, checksum: 'ea475e2128b6bcc6' }, content: GOLDEN_2 },
]

for (const [index, { ref: expected, content }] of FILES.entries()) {
  test(`a file written by version ${index + 1} keeps opening and says the same`, () => opens(expected, content))
}

async function opens(expected: { readonly name: string }, content: string): Promise<void> {
  const files = new MemoryFileStore({ hash })
  const writer = await files.create(fileName(expected.name))
  await writer.write(Buffer.from(content, 'base64'))
  const ref = await writer.finish()
  assert.deepEqual(ref, expected)
  const reader = rowTableFormat.reader(await files.open(ref), { order: BYTEWISE, hash, cache: new BlockCache() })
  const entries = await drainCursor(reader.cursor({ range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' }))
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const lines = entries.map(({ key, seqno, kind, value }) => `${text(key)} ${seqno} ${kind} ${text(value)}`)
  assert.deepEqual(lines, expectedLines())
  const fetch = new BlockFetch()
  const rangeTombstones = reader.rangeTombstones(fetch)
  assert.ok(rangeTombstones !== PENDING)
  const ranges = rangeTombstones.list().map(({ lower, upper, seqno }) => {
    return `${text(lower.key)} ${lower.side} … ${text(upper.key)} ${upper.side} at ${seqno}`
  })
  assert.deepEqual(ranges, [
    'golden/03 -1 … golden/05 1 at 98',
    'golden/03 -1 … golden/05 1 at 7',
    'golden/05 1 … golden/1 -1 at 98',
    'zz 1 …  2 at 1099511627776',
  ])
  await reader.verify('structure')
  await reader.close()
}

function expectedLines(): readonly string[] {
  const lines: string[] = []
  for (let number = 0; number < 12; number++) {
    const key = `golden/${String(number).padStart(2, '0')}`
    const isDelete = number % 5 === 4
    lines.push(`${key} ${100 + number} ${isDelete ? 2 : 1} ${isDelete ? '' : 'value '.repeat(number)}`)
    if (number % 3 === 0) lines.push(`${key} ${number + 1} 1 older`)
  }
  lines.push('z 99 1 last')
  return lines
}
