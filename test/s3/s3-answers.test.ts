/** Whatever becomes of a request, what is said about it is true. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes } from '../../src/kernel/bytes.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { fileName, shardId } from '../../src/kernel/ids.ts'
import { failsWith } from '../../src/testing/expected-failure.ts'
import { putFile, randomBytes } from '../../src/testing/file-model.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { FileRef } from '../../src/kernel/file-ref.ts'
import type { HeadVersion } from '../../src/fs/fs.ts'
import { S3Double } from './s3-double.ts'
import type { S3Call } from './s3-double.ts'
import type { S3Fault } from './s3-quirks.ts'
import { HastyClock, S3_CREDENTIALS, clientOf, openS3Files, openS3Heads } from './s3-place.ts'

const NAME = fileName('shard.e1-j1-a1-1.table')
const SHARD = shardId('shard')
const TEXT = new TextEncoder()

/** The next PUT of `start` meets `fault`. */
function failing(double: S3Double, start: string, ...faults: S3Fault[]): void {
  double.plan = ({ method, key }) => (method === 'PUT' && key.startsWith(start) ? faults.shift() : undefined)
}

const RESOLVED: readonly (readonly [string, readonly S3Fault[]])[] = [
  ['a 412 after our own success', ['twice']],
  ['a connection cut after the request', ['answer-lost']],
  ['a connection cut before the request', ['lost']],
  ['a 500 after our own success', ['500-after']],
  ['a 500 that changed nothing', [500]],
  ['a store that wants us to slow down', [503, 503, 503]],
  ['nobody who listens, for a while', ['refused', 'refused']],
  ['a page of somebody on the way, who answers 200', ['page']],
  ['such a page that has an ETag', ['tagged-page']],
  ['one after the other', ['lost', 500, 'answer-lost']],
]

for (const [what, faults] of RESOLVED) {
  test(`${what}: the file is there, once, and its writer knows`, async () => {
    const double = new S3Double()
    const files = await openS3Files(clientOf(double, 1))
    failing(double, 'files/', ...faults)
    const content = randomBytes(1, 1000)
    const ref = await putFile(files, NAME, content)
    assert.equal(ref.bytes, 1000)
    assert.ok(equalBytes(double.object(`files/${NAME}`) ?? TEXT.encode(''), content))
    await failsWith(() => putFile(files, NAME, content), 'EXISTS', 'even the same content is another file')
  })

  test(`${what}: the head is changed, once, and whoever changed it knows`, async () => {
    for (const double of [new S3Double(), S3Double.radosgw()]) {
      const heads = await openS3Heads(clientOf(double, 1))
      const first = await heads.compareAndSet(SHARD, undefined, TEXT.encode('first'))
      failing(double, 'heads/', ...faults)
      const second = await heads.compareAndSet(SHARD, first, TEXT.encode('second'))
      assert.deepEqual(await heads.read(SHARD), { version: second, content: TEXT.encode('second') })
    }
  })
}

test('who loses a race is told HEAD_CONFLICT, also where the store answers 500 or breaks off', async () => {
  for (const faults of [['500-after'], [500], ['lost'], ['answer-lost']] as const) {
    const double = S3Double.radosgw()
    const [mine, theirs] = await Promise.all([openS3Heads(clientOf(double, 1)), openS3Heads(clientOf(double, 2))])
    const first = await mine.compareAndSet(SHARD, undefined, TEXT.encode('first'))
    const second = await theirs.compareAndSet(SHARD, first, TEXT.encode('theirs'))
    failing(double, 'heads/', ...faults)
    const error = await failsWith(() => mine.compareAndSet(SHARD, first, TEXT.encode('mine')), 'HEAD_CONFLICT', 'late')
    assert.deepEqual([error.details['expected'], error.details['found']], [first, second])
  }
})

test('a store that answers nothing but failures: OUTCOME_UNKNOWN where it may have happened, otherwise IO_FAILED', async () => {
  const double = new S3Double()
  const client = clientOf(double, 1)
  const [files, heads] = [await openS3Files(client), await openS3Heads(client)]
  const writes = [
    () => putFile(files, NAME, new Uint8Array(1)),
    () => heads.compareAndSet(SHARD, undefined, new Uint8Array(1)),
  ]
  double.plan = ({ method }) => (method === 'PUT' ? 500 : undefined)
  for (const write of writes) await failsWith(write, 'OUTCOME_UNKNOWN', 'every attempt is answered with 500')
  double.plan = () => 'answer-lost'
  for (const write of writes) await failsWith(write, 'OUTCOME_UNKNOWN', 'and nobody can look')
  const other = shardId('other')
  double.plan = () => 'refused'
  await failsWith(() => putFile(files, fileName('b'), new Uint8Array(1)), 'IO_FAILED', 'nothing was sent')
  await failsWith(() => heads.compareAndSet(other, undefined, new Uint8Array(1)), 'IO_FAILED', 'nothing was sent')
  await failsWith(() => files.list(), 'IO_FAILED', 'a list')
})

test('a change that arrives long after it was given up does not undo a later one', async () => {
  const double = new S3Double()
  const heads = await openS3Heads(clientOf(double, 1))
  const first = await heads.compareAndSet(SHARD, undefined, TEXT.encode('first'))
  failing(double, 'heads/', 'late')
  const second = await heads.compareAndSet(SHARD, first, TEXT.encode('second'))
  const third = await heads.compareAndSet(SHARD, second, TEXT.encode('third'))
  await double.arrive()
  assert.deepEqual(await heads.read(SHARD), { version: third, content: TEXT.encode('third') })
})

test('over a network that fails at any request, files and heads are what their writers were told', async () => {
  const counts = { done: 0, conflict: 0, unknown: 0, failed: 0 }
  for (let seed = 1; seed <= 30; seed++) {
    const random = new SeededRandom(seed)
    const double = seed % 2 === 0 ? S3Double.radosgw() : new S3Double({ missingIs404: true })
    const settings = { attemptsMax: 3 }
    const clients = [1, 2].map((index) => clientOf(double, seed * 10 + index, { settings }))
    const stores = await Promise.all(
      clients.map(async (client) => ({ files: await openS3Files(client), heads: await openS3Heads(client) })),
    )
    const faults = [500, 503, 'lost', 'answer-lost', '500-after', 'twice', 'refused', 'late'] as const
    double.plan = (_call: S3Call) => (random.once(3) ? faults[random.below(faults.length)] : undefined)

    const acknowledged: { version: HeadVersion; content: Uint8Array }[] = []
    const refs: { ref: FileRef; content: Uint8Array }[] = []
    await Promise.all(
      stores.map(async ({ files, heads }, index) => {
        for (let round = 0; round < 8; round++) {
          const content = TEXT.encode(`${index}/${round}`)
          try {
            const head = await heads.read(SHARD)
            const version = await heads.compareAndSet(SHARD, head?.version, content)
            acknowledged.push({ version, content })
            counts.done++
          } catch (error) {
            if (isCode(error, 'HEAD_CONFLICT')) counts.conflict++
            else if (isCode(error, 'OUTCOME_UNKNOWN')) counts.unknown++
            else if (isCode(error, 'IO_FAILED')) counts.failed++
            else throw error
          }
          try {
            refs.push({ ref: await putFile(files, fileName(`file-${round}`), content), content })
          } catch (error) {
            assert.ok(isCode(error, 'EXISTS', 'OUTCOME_UNKNOWN', 'IO_FAILED'), String(error))
          }
        }
      }),
    )
    double.plan = () => undefined
    await double.arrive()
    const versions = new Set(acknowledged.map(({ version }) => version))
    assert.equal(versions.size, acknowledged.length, `seed ${seed}: two changes were answered with one version`)
    assert.equal(new Set(refs.map(({ ref }) => ref.name)).size, refs.length, `seed ${seed}: two writers got one name`)
    for (const { ref, content } of refs) {
      const reader = await (stores[0] as (typeof stores)[0]).files.open(ref)
      assert.ok(equalBytes(await reader.read(0, ref.bytes), content), `seed ${seed}: ${ref.name} has other content`)
    }
  }
  assert.ok(counts.done > 100 && counts.conflict > 20 && counts.unknown > 0, JSON.stringify(counts))
})

test('attempts are further and further apart, by chance', async () => {
  const double = new S3Double()
  const clock = new HastyClock()
  const client = clientOf(double, 1, { clock, settings: { attemptsMax: 6, retryDelayMs: 100, retryDelayMsMax: 1000 } })
  const files = await openS3Files(client)
  const before = client.usage.retries
  double.plan = () => 503
  clock.delays.length = 0
  await failsWith(() => files.list(), 'IO_FAILED', 'six attempts')
  assert.equal(client.usage.retries - before, 5, 'the first is no retry')
  assert.equal(clock.delays.length, 5)
  for (const [index, delay] of clock.delays.entries())
    assert.ok(delay < Math.min(100 * 2 ** index, 1000), `delay ${index} is ${delay} ms`)
  assert.equal(new Set(clock.delays).size, 5, 'no two are the same')
})

test('a bucket that is not there, and credentials that cannot be had, are named with their place and the way out', async () => {
  const double = new S3Double()
  const elsewhere = clientOf(double, 1, { bucket: 'nowhere' })
  await assert.rejects(openS3Heads(elsewhere), (error: unknown) => {
    assert.ok(isCode(error, 'NOT_FOUND'), String(error))
    assert.match(error.message, /bucket nowhere at http:\/\/s3\.test .*make it, or mend the name/)
    return true
  })
  const sealed = (): Promise<never> => Promise.reject(new Error('the vault is sealed'))
  await assert.rejects(openS3Files(clientOf(double, 2, { credentials: sealed })), (error: unknown) => {
    assert.ok(isCode(error, 'IO_FAILED', 'UNSUPPORTED'), String(error))
    assert.match(error.message, /no credentials for bucket .* the vault is sealed/)
    return true
  })
  const nothing = { accessKeyId: 'id', secretAccessKey: '' }
  assert.throws(() => clientOf(double, 3, { credentials: nothing }), /TypeError: credentials must have secretAccessKey/)
  assert.throws(() => clientOf(double, 4, { endpoint: 's3.example.org' }), /TypeError: endpoint must be a URL/)
})

// The shard took its head for deleted: its owner was told FENCED for good, and who opened it to put its heads back.
test('a head is not there only where the store says so', async () => {
  const double = new S3Double()
  const heads = await openS3Heads(clientOf(double, 1))
  assert.equal(await heads.read(SHARD), undefined)
  const version = await heads.compareAndSet(SHARD, undefined, TEXT.encode('head'))
  for (const [fault, code] of [
    ['page-404', 'IO_FAILED'],
    ['no-bucket', 'NOT_FOUND'],
  ] as const) {
    double.plan = ({ key }) => (key.startsWith('heads/') ? fault : undefined)
    await failsWith(() => heads.read(SHARD), code, fault)
    double.plan = () => undefined
  }
  assert.equal((await heads.read(SHARD))?.version, version)
})

test('a write whose answer was lost, and for which there are no credentials for a moment, is found out about', async () => {
  const double = new S3Double()
  let without = 0
  const credentials = (): Promise<typeof S3_CREDENTIALS> =>
    without-- > 0 ? Promise.reject(new Error('the vault is sealed')) : Promise.resolve(S3_CREDENTIALS)
  const heads = await openS3Heads(clientOf(double, 1, { credentials }))
  double.plan = ({ method }) => {
    if (method !== 'PUT') return undefined
    double.plan = () => undefined
    without = 3
    return 'answer-lost'
  }
  const version = await heads.compareAndSet(SHARD, undefined, TEXT.encode('once'))
  assert.equal((await heads.read(SHARD))?.version, version)
})
