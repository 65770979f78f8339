/** Of a job that runs several times, too late, or in a process that dies, exactly one result is put into the shard. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../src/kernel/errors.ts'
import { JobWorld, killAtSteps } from './job-world.ts'

test('jobs that run three times at once put one result into the shard', async () => {
  const world = new JobWorld(1)
  await world.simulation.open()
  await world.fill()
  await world.check('three times')
  assert.ok(world.attempts > 3)
})

test('what a zombie writes after its job was given up is not put into the shard, and goes', async () => {
  const world = new JobWorld(2)
  await world.simulation.open()
  await world.fill()
  world.fateOf = () => 'zombie'
  for (let tries = 0; tries < 3; tries++) {
    await assert.rejects(world.db.compactRange(), (error) => isCode(error, 'JOB_FAILED'))
  }
  world.fateOf = () => 'three times'
  await world.check('zombie')
})

test('a process killed at steps of a compaction leaves what was there before it, or after it', async (context) => {
  const steps = await killAtSteps(13)
  context.diagnostic(`${steps} steps, every 13th`)
  assert.ok(steps > 100)
})

test('a poisoned job is tried ever more seldom, and what it was for goes on when it is healed', async () => {
  const world = new JobWorld(4)
  world.simulation.settings = { ...world.simulation.settings, policy: 'leveled' }
  world.fateOf = ({ handler }) => (handler.export === 'merge' ? 'poisoned' : 'three times')
  await world.simulation.open()
  await world.fill()
  world.attempts = 0
  for (let minute = 0; minute < 60; minute++) {
    world.simulation.clock.advance(60_000)
    for (let left = 0; left < 20; left++) await world.simulation.clock.turn()
  }
  assert.ok(world.attempts > 10 && world.attempts < 400, `${world.attempts} attempts in an hour`)
  assert.equal(Buffer.from((await world.db.get(Buffer.from('key 007'))) ?? []).length, 60)
  world.fateOf = () => 'three times'
  world.simulation.clock.advance(60_000)
  await world.check('healed')
})
