/** A tablespace that is full, for real: a small tmpfs in a mount namespace of its own. */

import assert from 'node:assert/strict'
import { execPath } from 'node:process'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { inNamespace, whyNoNamespace } from '../full-disk/small-file-system.ts'
import { PostgresPlace } from './postgres-place.ts'

const place = await PostgresPlace.start(['autovacuum=off'])
after(() => place.stop())

for (const [title, program, said] of [
  [
    'a shard whose journal has filled its tablespace flushes and vacuums, and writes go on by themselves',
    new URL('./fill-tablespace.js', import.meta.url),
    /2 rounds/,
  ],
  // One takes the room that another one needs to make some.
  [
    'shards that know nothing of each other go on by themselves in a tablespace that they have filled together',
    new URL('./fill-tablespace-together.js', import.meta.url),
    /3 shards/,
  ],
] as const)
  test(title, { skip: whyNoNamespace() }, (context) => {
    const { status, stdout, stderr } = inNamespace('32m', 'exec "$1" "$2" "$0"', execPath, fileURLToPath(program))
    assert.equal(status, 0, `${stdout}\n${stderr}`)
    const reason = /^skipped: (.*)$/m.exec(stdout)?.[1]
    if (reason === undefined) assert.match(stdout, said)
    else context.skip(reason)
  })

// A flush ends in a change of the head: had that needed room, a full tablespace would have stayed full for ever.
test('a head that changes again and again needs no more room, and no vacuum', place.skip, async () => {
  const random = new SystemRandom()
  const schema = place.schema()
  const heads = await PostgresHeadStore.open({ database: place.database(schema), hash: await loadHash(), random })
  const admin = new pg.Client({ connectionString: place.running.url })
  await admin.connect()
  const size = async (): Promise<unknown> => {
    const table = `${admin.escapeIdentifier(schema)}.head`
    const { rows } = await admin.query<{ readonly bytes: string }>('SELECT pg_total_relation_size($1) AS bytes', [
      table,
    ])
    return rows[0]?.bytes
  }
  const content = Uint8Array.from({ length: 3_000 }, () => random.u32())
  let version = await heads.compareAndSet(shardId('main'), undefined, content)
  for (let change = 0; change < 10; change++) version = await heads.compareAndSet(shardId('main'), version, content)
  const before = await size()
  for (let change = 0; change < 300; change++) version = await heads.compareAndSet(shardId('main'), version, content)
  assert.equal(await size(), before)
  await admin.end()
})
