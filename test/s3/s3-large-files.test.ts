/** Files that are uploaded in parts keep the promises of those that are one request. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes } from '../../src/kernel/bytes.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { fileName } from '../../src/kernel/ids.ts'
import { MIB } from '../../src/kernel/limits.ts'
import { failsWith } from '../../src/testing/expected-failure.ts'
import { putFile } from '../../src/testing/file-model.ts'
import type { FileStore } from '../../src/fs/fs.ts'
import { S3Double } from './s3-double.ts'
import type { S3Fault } from './s3-quirks.ts'
import { clientOf, openS3Files } from './s3-place.ts'

const NAME = fileName('shard.e1-j1-a1-1.table')
const KEY = `files/${NAME}`
const HOUR_MS = 3_600_000
// The smallest there may be.
const PART_BYTES = 5 * MIB
const SETTINGS = Object.freeze({ partBytes: PART_BYTES })

/** Every byte depends on its place. */
function content(bytes: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes / 4))
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 0x9e3779b1)
  return new Uint8Array(words.buffer, 0, bytes)
}

async function writeInPieces(store: FileStore, bytes: Uint8Array, pieceBytes: number): Promise<void> {
  const writer = await store.create(NAME, { expectedBytes: bytes.length })
  for (let start = 0; start < bytes.length; start += pieceBytes)
    await writer.write(bytes.slice(start, start + pieceBytes))
  await writer.finish()
}

/** Two parts, the second of them short. */
const large = content(PART_BYTES + 5)

for (const [name, make] of [
  ['S3', () => new S3Double()],
  ['radosgw', () => S3Double.radosgw()],
  ['a store that does not know the condition', () => new S3Double({ refusesCompleteCondition: true })],
] as const) {
  test(`on ${name}, a file of several parts is what was written, and nothing else is left`, async () => {
    const double = make()
    const files = await openS3Files(clientOf(double, 1, { settings: { ...SETTINGS, rangeBytes: 1 * MIB } }))
    await writeInPieces(files, large, 1_000_001)
    assert.deepEqual(double.keys, [KEY])
    assert.equal(double.uploadCount, 0)
    assert.equal(files.pendingBytes, 0)
    const [info] = await files.list()
    assert.deepEqual(info, { name: NAME, bytes: large.length })
    const reader = await files.open({ name: NAME, bytes: large.length, checksum: '0' })
    assert.ok(equalBytes(await reader.read(3, large.length - 3), large.subarray(3)), 'read in several ranges')
    await reader.close()
    await failsWith(() => putFile(files, NAME, large), 'EXISTS', 'again in parts')
    await failsWith(() => putFile(files, NAME, new Uint8Array(1)), 'EXISTS', 'again as one request')
    assert.deepEqual([double.keys, double.uploadCount], [[KEY], 0], 'what was refused leaves nothing')
  })

  test(`on ${name}, of several who upload one name in parts one gets it`, async () => {
    const double = make()
    const stores = await Promise.all(
      [1, 2, 3].map((seed) => openS3Files(clientOf(double, seed, { settings: SETTINGS }))),
    )
    const bytes = PART_BYTES + 100
    const outcomes = await Promise.allSettled(
      stores.map((store, index) => putFile(store, NAME, content(bytes).fill(index, bytes - 10))),
    )
    const won = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []))
    for (const outcome of outcomes)
      assert.ok(outcome.status === 'fulfilled' || isCode(outcome.reason, 'EXISTS'), 'the others are told EXISTS')
    assert.equal(won.length, 1)
    assert.equal(double.object(KEY)?.at(-1), won[0], 'the file is what the winner wrote')
    assert.deepEqual([double.keys, double.uploadCount], [[KEY], 0])
  })
}

test('whatever becomes of completing an upload, its writer knows', async () => {
  const some = [['twice'], ['answer-lost'], ['500-after'], [500], ['page'], ['tagged-page'], ['lost', 'answer-lost']]
  for (const faults of some as readonly (readonly S3Fault[])[]) {
    const double = faults.length > 1 ? new S3Double() : S3Double.radosgw()
    const files = await openS3Files(clientOf(double, 1, { settings: SETTINGS }))
    const left: S3Fault[] = [...faults]
    double.plan = ({ method, query }) => (method === 'POST' && query.has('uploadId') ? left.shift() : undefined)
    await putFile(files, NAME, large)
    assert.ok(equalBytes(double.object(KEY) ?? new Uint8Array(0), large), faults.join())
    assert.deepEqual([double.keys, double.uploadCount], [[KEY], 0], faults.join())
  }
})

test('parts and claims whose answers are lost are sent again', async () => {
  const double = S3Double.radosgw()
  const files = await openS3Files(clientOf(double, 1, { settings: SETTINGS }))
  let count = 0
  double.plan = ({ method }) =>
    method === 'PUT' && ++count % 2 === 1 ? (['answer-lost', 'lost', 503] as const)[count % 3] : undefined
  await putFile(files, NAME, large)
  assert.ok(equalBytes(double.object(KEY) ?? new Uint8Array(0), large))
  assert.deepEqual(double.keys, [KEY])
})

test('a file whose upload fails is not there, and its name can be used', async () => {
  const double = new S3Double()
  const files = await openS3Files(clientOf(double, 1, { settings: { ...SETTINGS, attemptsMax: 2 } }))
  double.plan = ({ query }) => (query.get('partNumber') === '1' ? 503 : undefined)
  await failsWith(() => putFile(files, NAME, large), 'IO_FAILED', 'the first part is refused')
  assert.deepEqual([double.keys, double.uploadCount, files.pendingBytes], [[], 0, 0])
  double.plan = () => undefined
  await putFile(files, NAME, large)
})

test('an upload whose outcome is not known is not completed after its writer gave it up', async () => {
  const double = S3Double.radosgw()
  const files = await openS3Files(clientOf(double, 1, { settings: { ...SETTINGS, attemptsMax: 2 } }))
  double.plan = ({ method, query }) => (method === 'POST' && query.has('uploadId') ? 'late' : undefined)
  await failsWith(() => putFile(files, NAME, large), 'OUTCOME_UNKNOWN', 'nobody answers')
  await double.arrive()
  assert.equal(double.object(KEY), undefined, 'abort came first')
  double.plan = () => undefined
  await failsWith(() => putFile(files, NAME, large), 'EXISTS', 'the name may have been used')
})

test('leftovers of the dead are removed when they are old, and nothing else is', async () => {
  const double = new S3Double()
  const client = clientOf(double, 1, { prefix: 'here/', settings: SETTINGS })
  const files = await openS3Files(client)
  const elsewhere = await openS3Files(clientOf(double, 2, { prefix: 'elsewhere/', settings: SETTINGS }))
  await putFile(files, NAME, new Uint8Array(5))
  for (const [store, name] of [
    [files, 'dead-1'],
    [files, 'dead-2'],
    [elsewhere, 'dead-3'],
  ] as const) {
    const writer = await store.create(fileName(name))
    await writer.write(large)
  }
  double.put('here/claims/dead-1', new Uint8Array(1))
  double.put('here/probes/0123456789abcdef', new Uint8Array(1))
  double.pageSize = 1
  double.time += HOUR_MS
  const alive = await files.create(fileName('alive'))
  await alive.write(large)
  assert.equal(await files.removeLeftovers({ olderThanMs: 2 * HOUR_MS }), 0, 'nothing is so old')
  assert.equal(await files.removeLeftovers({ olderThanMs: HOUR_MS }), 4, 'two uploads, a claim, a probe')
  assert.equal(await files.removeLeftovers({ olderThanMs: HOUR_MS }), 0, 'once')
  await alive.finish()
  assert.deepEqual(double.keys, [`here/files/alive`, `here/${KEY}`])
  assert.equal(double.uploadCount, 1, 'what is elsewhere is another’s')
})
