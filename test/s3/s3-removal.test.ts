/** What is to be removed goes, whatever a store says to requests that remove several objects. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../src/kernel/ids.ts'
import { putFile, randomBytes } from '../../src/testing/file-model.ts'
import { S3Double } from './s3-double.ts'
import { clientOf, openS3Files } from './s3-place.ts'
import type { S3Quirks } from './s3-quirks.ts'

const NAMES = [1, 2, 3].map((number) => fileName(`shard.e1-j1-a1-${number}.table`))
const OTHER = fileName('shard.e1-j1-a1-4.table')

const STORES: readonly (readonly [name: string, quirks: S3Quirks])[] = [
  ['a store that removes several at once', {}],
  ['a store that says 501 to that', { noBatchRemoval: 501 }],
  ['a store that says 400 to that', { noBatchRemoval: 400 }],
  ['a store that says 404 to that', { noBatchRemoval: 404 }],
  ['a store that says 405 to that', { noBatchRemoval: 405 }],
  ['a store that fails with one of them', { keepsInBatch: `files/${NAMES[1]}` }],
]

for (const [name, quirks] of STORES) {
  test(`${name}: files that were removed are gone, and take no room there`, async () => {
    const double = new S3Double(quirks)
    const files = await openS3Files(clientOf(double, 1))
    for (const each of [...NAMES, OTHER]) await putFile(files, each, randomBytes(1, 100))
    await files.remove(NAMES)
    assert.deepEqual(
      (await files.list()).map((file) => file.name),
      [OTHER],
    )
    assert.deepEqual(
      double.keys.filter((key) => key.startsWith('files/')),
      [`files/${OTHER}`],
    )
    await files.close()
  })
}
