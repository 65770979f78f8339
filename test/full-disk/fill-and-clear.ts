/** Fills the file system at the path given with a database, clears it, and so on. Ends with 0 when all went well. */

import assert from 'node:assert/strict'
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KIB, MIB } from '../../src/kernel/limits.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { open } from '../../src/local.ts'

const ROUNDS = 20
const [, , place = ''] = process.argv
const db = await open(join(place, 'db'), {
  settings: { memtableBytes: 2 * MIB, tableBytes: 2 * MIB, levelBytesBase: 8 * MIB, compression: 'none' },
})
const value = Buffer.alloc(4 * KIB, 'v')
const model = new Set<number>()
let next = 0

function keyOf(index: number): Uint8Array {
  return Buffer.from(`key ${String(index).padStart(9, '0')}`)
}

async function fits(): Promise<boolean> {
  const index = next++
  try {
    await db.put(keyOf(index), value)
    model.add(index)
    return true
  } catch (error) {
    if (!isCode(error, 'NO_SPACE')) throw error
    return false
  }
}

/** The first deletion may be the first to find the disk full. */
async function persist(deletion: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await deletion()
    } catch (error) {
      if (!isCode(error, 'NO_SPACE')) throw error
      await sleep(100)
    }
  }
}

async function check(): Promise<void> {
  let count = 0
  for await (const { key } of db.scan({ values: false })) {
    assert.ok(model.has(Number(Buffer.from(key).toString().slice(4))))
    count++
  }
  assert.equal(count, model.size)
}

for (let round = 0; round < ROUNDS; round++) {
  const start = performance.now()
  const before = model.size
  while (await fits());
  assert.ok(model.size - before > 200, `round ${round}: only ${model.size - before} fitted`)
  await check()
  const doomed = [...model].slice(0, Math.floor(model.size * 0.75))
  const { bavail, bsize } = statfsSync(place)
  if (round % 2 === 0) {
    await persist(() => db.deleteRange({ gte: keyOf(doomed[0] ?? 0), lte: keyOf(doomed.at(-1) ?? 0) }))
  } else {
    for (const index of doomed) await persist(() => db.delete(keyOf(index)))
  }
  for (const index of doomed) model.delete(index)
  const full = performance.now()
  while (!(await fits())) {
    assert.ok(performance.now() - full < 60_000, `round ${round}: still full: ${JSON.stringify(db.statistics())}`)
    await sleep(50)
  }
  await check()
  const resumedMs = Math.round(performance.now() - full)
  process.stdout.write(
    `round ${round}: ${model.size + doomed.length} entries, ${Math.round((bavail * bsize) / KIB)} KiB free when full, ` +
      `writes again after ${resumedMs} ms, ${Math.round(performance.now() - start)} ms in all\n`,
  )
}
await db.close()
const again = await open(join(place, 'db'), {})
let count = 0
for await (const { key } of again.scan()) count += key.length > 0 ? 1 : 0
assert.equal(count, model.size)
await again.close()
process.stdout.write(`${ROUNDS} rounds\n`)
