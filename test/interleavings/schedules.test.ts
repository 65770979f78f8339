/**
 * All interleavings of small worlds, the larger ones in schedules.extra.ts: nothing is cut short, so what holds here holds
 * in every order of the steps that are named. Beside them what LevelDB lost in one process.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../src/kernel/errors.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { allSchedules } from './all-schedules.ts'
import { exhaust } from './protocol.ts'
import { SMALL_WORLDS } from './scenarios.ts'

for (const [name, world] of Object.entries(SMALL_WORLDS)) {
  test(`in every order of protocol steps: ${name}`, async (context) => {
    const found = await exhaust(world)
    context.diagnostic(JSON.stringify(found))
    assert.ok(found.schedules > 20 && found.fenced > 0 && found.acknowledged > 0)
  })
}

test('every sequence of choices is run once, and one that fails is named', async () => {
  const seen: string[] = []
  const found = await allSchedules(async (choose) => {
    const first = choose(2)
    seen.push(`${first}${first === 0 ? choose(3) : ''}`)
    return Promise.resolve()
  })
  assert.deepEqual(seen, ['00', '01', '02', '1'])
  assert.deepEqual(found, { schedules: 4, choicesMost: 2 })
  const failing = allSchedules(async (choose) => {
    assert.ok(choose(2) + choose(2) < 2)
    return Promise.resolve()
  })
  await assert.rejects(failing, /schedule 11/)
})

test('a synced write in a new segment of the journal brings what was only written in the one before', async () => {
  // LevelDB #193: the log before the newest was not synced.
  const simulation = await Simulation.start(1, { ...TINY_SETTINGS, memtableBytes: 1 << 20 })
  for (let index = 0; index < 12; index++) await simulation.db.put(Buffer.from(`a${index}`), Buffer.alloc(1500, 'a'))
  assert.ok(simulation.device.files().filter((path) => path.endsWith('.log')).length > 1)
  await simulation.db.put(Buffer.from('b'), Buffer.from('b'), { durability: 'synced' })
  simulation.device = simulation.device.crash({ data: 'none', names: 'none' }, 1, simulation.deviceOptions)
  await simulation.open()
  for (let index = 0; index < 12; index++) assert.ok(await simulation.db.get(Buffer.from(`a${index}`)), `a${index}`)
  assert.ok(await simulation.db.get(Buffer.from('b')))
  await simulation.stop()
})

test('a synced write after one that met a full disk is there after a power cut, whichever write that was', async () => {
  // LevelDB, pull request 578: what came behind the torn record was acknowledged and not found again.
  let met = 0
  for (let fails = 0; ; fails++) {
    let writes = -1
    const simulation = await Simulation.start(1, TINY_SETTINGS, {
      failedWrites: 'some',
      before({ operation, path }) {
        if (operation === 'write' && writes >= 0 && writes++ === fails) throw failure('NO_SPACE', operation, path)
      },
    })
    writes = 0
    const told: string[] = []
    for (let index = 0; index < 4; index++) {
      const put = (): Promise<void> =>
        simulation.db.put(Buffer.from(`k${index}`), Buffer.alloc(300, 'v'), { durability: 'synced' })
      try {
        await put()
        told.push(`k${index}`)
      } catch (error) {
        assert.ok(isCode(error, 'NO_SPACE'))
        met++
      }
    }
    const ended = writes <= fails
    writes = -1
    simulation.device = simulation.device.crash({ data: 'none', names: 'none' }, 1, simulation.deviceOptions)
    await simulation.open()
    for (const key of told)
      assert.ok(await simulation.db.get(Buffer.from(key)), `write ${fails} failed, ${key} is lost`)
    await simulation.stop()
    if (ended) break
  }
  assert.ok(met > 3, `${met} met it`)
})
