/** What a database of `varve/level` keeps when the power goes. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveLevel } from '../../src/engines/level/varve-level.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'

/** Opens on a simulated disk; the shard before, if any, died with its machine. */
async function openOn(simulation: Simulation): Promise<VarveLevel> {
  const db = new VarveLevel('simulated', {
    openShard: async (_location, options) => {
      const { createIfMissing = true, errorIfExists = false } = options
      await simulation.open({ createIfMissing, errorIfExists })
      return simulation.db
    },
  })
  await db.open()
  return db
}

async function afterPowerCut(seed: number, write: (db: VarveLevel) => Promise<void>): Promise<VarveLevel> {
  const simulation = new Simulation(seed, TINY_SETTINGS)
  await write(await openOn(simulation))
  await simulation.powerCut()
  await simulation.stop()
  return openOn(simulation)
}

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1)

test('what was written with sync: true survives a power cut, by put, del, batch and chained batch', async () => {
  for (const seed of SEEDS) {
    const db = await afterPowerCut(seed, async (before) => {
      await before.put('put', '1', { sync: true })
      await before.put('deleted', '1')
      await before.del('deleted', { sync: true })
      await before.batch([{ type: 'put', key: 'batch', value: '1' }], { sync: true })
      await before.batch().put('chained', '1').write({ sync: true })
    })
    assert.deepEqual(await db.keys().all(), ['batch', 'chained', 'put'], `seed ${seed}`)
    await db.close()
  }
})

test('what was written without sync may be lost, and what is found is whole', async () => {
  let lost = 0
  for (const seed of SEEDS) {
    const db = await afterPowerCut(seed, async (before) => {
      await before.put('synced', '1', { sync: true })
      await before.batch([
        { type: 'put', key: 'x', value: '1' },
        { type: 'put', key: 'y', value: '1' },
      ])
    })
    const keys = await db.keys().all()
    assert.ok(keys.length === 1 || keys.length === 3, `seed ${seed}: ${keys.join(', ')}`)
    if (keys.length === 1) lost++
    await db.close()
  }
  assert.ok(lost > 0, 'no power cut took anything: then sync: true is not tested either')
})
