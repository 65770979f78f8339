import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { open } from '../src/local.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { isCode } from '../src/kernel/errors.ts'

/** A shard of three tables in level 0, on a directory of its own. */
async function makeShard(
  context: TestContext,
): Promise<{ readonly directory: string; readonly tables: readonly string[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-verify-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const shard = await open(directory, { jobs: 'inline' })
  for (let table = 0; table < 3; table++) {
    for (let index = 0; index < 500; index++)
      await shard.put(Buffer.from(`key ${index}`), Buffer.from(`${table} ${index}`))
    await shard.flush()
  }
  const tables = shard.levels().flatMap((level) => level.map(({ file }) => join(directory, 'files', file.ref.name)))
  await shard.close()
  assert.equal(tables.length, 3)
  return { directory, tables }
}

async function codes(shard: KvShard, level: 'bytes' | 'structure'): Promise<readonly (string | undefined)[]> {
  const found: (string | undefined)[] = []
  for await (const { damage } of shard.verify({ level })) found.push(damage?.code)
  return found
}

test('verifying names each damaged table, wherever the byte is, and finds the others whole', async (context) => {
  const { directory, tables } = await makeShard(context)
  const [, second = '', third = ''] = tables
  const shard = await open(directory, { readOnly: true, jobs: 'inline' })
  context.after(() => shard.close())
  for (const level of ['bytes', 'structure'] as const) {
    assert.deepEqual(await codes(shard, level), [undefined, undefined, undefined])
  }
  const whole = readFileSync(second)
  for (let at = 0; at < whole.length; at += 97) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] as number) ^ 4
    writeFileSync(second, damaged)
    assert.deepEqual(await codes(shard, 'bytes'), [undefined, 'TABLE_CORRUPT', undefined], `byte ${at}`)
  }
  writeFileSync(second, whole)
  assert.deepEqual(await codes(shard, 'structure'), [undefined, undefined, undefined])

  rmSync(third)
  const after = await open(directory, { readOnly: true, jobs: 'inline' })
  context.after(() => after.close())
  assert.deepEqual(await codes(after, 'bytes'), [undefined, undefined, 'FILE_MISSING'])
})

test('verifying stops when it is told to, and is refused after close', async (context) => {
  const { directory } = await makeShard(context)
  const shard = await open(directory, { jobs: 'inline' })
  const stop = new AbortController()
  await assert.rejects(
    async () => {
      for await (const { damage } of shard.verify({ signal: stop.signal })) {
        assert.equal(damage, undefined)
        stop.abort()
      }
    },
    (error) => isCode(error, 'ABORTED'),
  )
  assert.equal(shard.statistics().pinnedViews, 0)
  await shard.close()
  assert.throws(
    () => shard.verify(),
    (error) => isCode(error, 'CLOSED'),
  )
})
