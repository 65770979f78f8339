/** A store that cannot be trusted is refused before anything is kept in it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../src/kernel/errors.ts'
import { failsWith } from '../../src/testing/expected-failure.ts'
import { S3Double } from './s3-double.ts'
import type { S3Quirks } from './s3-quirks.ts'
import { clientOf, openS3Files, openS3Heads } from './s3-place.ts'

const UNFIT: readonly (readonly [string, S3Quirks, 'files' | 'heads' | 'both', string])[] = [
  ['ignores If-None-Match', { ignoresIfNoneMatch: true }, 'both', 'If-None-Match'],
  ['ignores If-Match', { ignoresIfMatch: true }, 'heads', 'If-Match'],
  ['minds conditions only one after the other', { racyConditions: true }, 'both', 'If-None-Match'],
  ['ignores ranges', { ignoresRange: true }, 'files', 'ranges'],
  ['gives other ranges than asked for', { shiftedRange: true }, 'files', 'ranges'],
]

for (const [what, quirks, stores, capability] of UNFIT) {
  test(`a store that ${what} is refused`, async () => {
    for (const [kind, open] of [
      ['files', openS3Files],
      ['heads', openS3Heads],
    ] as const) {
      const double = new S3Double(quirks)
      const opening = open(clientOf(double, 1))
      if (stores !== 'both' && stores !== kind) {
        await opening
        continue
      }
      const error = await failsWith(() => opening, 'UNSUPPORTED', `${kind} on it`)
      assert.equal(error.details['capability'], capability, 'the error says what is missing')
      assert.deepEqual(double.keys, [], 'nothing is left of the probe')
    }
  })
}

for (const [name, double] of [
  ['an honest store', new S3Double()],
  ['radosgw', S3Double.radosgw()],
] as const) {
  test(`${name} is let pass with few requests, and nothing is left of the probe`, async () => {
    const client = clientOf(double, 1)
    await openS3Files(client)
    const forFiles = double.calls.length
    await openS3Heads(client)
    const forHeads = double.calls.length - forFiles
    assert.ok(forFiles <= 16, `${forFiles} requests for files`)
    assert.ok(forHeads <= 24, `${forHeads} requests for heads`)
    assert.deepEqual(double.keys, [])
  })
}

test('failures that pass neither refuse a good store nor let a bad one pass', async () => {
  let failures = 0
  for (let seed = 1; seed <= 40; seed++) {
    for (const [quirks, open] of [
      [{}, openS3Files],
      [{ bareEtags: true, losersGet500: true }, openS3Heads],
      [{ ignoresIfNoneMatch: true }, openS3Files],
      [{ ignoresIfMatch: true }, openS3Heads],
    ] as const) {
      const double = new S3Double(quirks)
      let count = seed
      double.plan = () => {
        count = (count * 1103515245 + 12345) % 2 ** 31
        const fault = ([500, 'lost', 'answer-lost', 503, '500-after', 'twice'] as const)[(count >> 8) % 30]
        if (fault !== undefined) failures++
        return fault
      }
      const outcome = await open(clientOf(double, seed)).catch((error: unknown) => error)
      const bad = 'ignoresIfNoneMatch' in quirks || 'ignoresIfMatch' in quirks
      const refused = outcome instanceof VarveError && outcome.code === 'UNSUPPORTED'
      assert.equal(refused, bad, `seed ${seed}, ${JSON.stringify(quirks)}: ${String(outcome)}`)
    }
  }
  assert.ok(failures > 300, `${failures} failures were met`)
})

test('a failure while it is found out how ETags are wanted does not hide the answer', async () => {
  for (const fault of [500, 'lost', 'answer-lost', '500-after', 'twice'] as const) {
    for (const double of [new S3Double(), S3Double.radosgw()]) {
      let puts = 0
      // Two race to create the object; the third tries the first style.
      double.plan = ({ method }) => (method === 'PUT' && ++puts === 3 ? fault : undefined)
      await openS3Heads(clientOf(double, 1))
    }
  }
})

test('without access, or without the bucket, opening says so', async () => {
  const double = new S3Double()
  const elsewhere = clientOf(double, 1, { bucket: 'elsewhere' })
  await failsWith(() => openS3Files(elsewhere), 'NOT_FOUND', 'a bucket that is not there')
  await failsWith(() => openS3Heads(elsewhere), 'NOT_FOUND', 'a bucket that is not there')
  double.plan = () => 'refused'
  await failsWith(() => openS3Files(clientOf(double, 2)), 'IO_FAILED', 'nobody answers')
})
