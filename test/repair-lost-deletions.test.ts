/** What a lost table had deleted is back: which keys that may be is said. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { KvRange } from '../src/engines/kv/kv.ts'
import type { Loss } from '../src/local-repair.ts'
import { repair } from '../src/local-repair.ts'
import { open } from '../src/local.ts'

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-lost-deletions-'))
after(() => fs.rmSync(scratch, { recursive: true, force: true }))

/** What repair says where the table is gone that has the deletion of `range` and the key `m`. */
async function lossesWithout(name: string, range: KvRange): Promise<readonly Loss[]> {
  const [directory, target] = [path.join(scratch, name), path.join(scratch, `${name}-saved`)]
  const db = await open(directory, { jobs: 'inline' })
  for (const key of ['a', 'b', 'm', 'y', 'z']) await db.put(Buffer.from(key), Buffer.from('value'))
  await db.flush()
  const before = new Set(fs.readdirSync(path.join(directory, 'files')))
  await db.deleteRange(range)
  await db.put(Buffer.from('m'), Buffer.from('newer'))
  await db.flush()
  await db.close()
  for (const file of fs.readdirSync(path.join(directory, 'files')))
    if (!before.has(file)) fs.rmSync(path.join(directory, 'files', file))
  const { losses } = await repair(directory, target)
  assert.equal(losses.length, 1)
  return losses
}

// It named the keys of the table's entries only: what its range deletions had taken was back, and nobody was told.
test('a lost table is named with the keys that its range deletions reach', async () => {
  const [within] = await lossesWithout('within', { gte: Buffer.from('b'), lt: Buffer.from('y') })
  assert.ok(within?.keyFirst !== undefined && within.keyLast !== undefined)
  assert.deepEqual(
    [within.keyFirst, within.keyLast].map((key) => Buffer.from(key).toString()),
    ['b', 'y'],
  )
})

test('a lost table with a range deletion that has no end may have held any key', async () => {
  const [endless] = await lossesWithout('open', { gte: Buffer.from('b') })
  assert.deepEqual([endless?.keyFirst, endless?.keyLast], [undefined, undefined])
})
