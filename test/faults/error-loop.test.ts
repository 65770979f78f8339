/** Error loops, one error for each operation of the disk; all of them are in error-loop.extra.ts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseImage, simulationOn } from '../crash/crash-simulation.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { ERRORS, runWithFault } from './error-loop.ts'
import { loopErrors, loopSyncs } from './error-loops.ts'

test('whichever operation of the disk fails, calls answer rightly or fail with a typed error, and nothing is lost', async (context) => {
  // Every fifth operation, each with another error; the other four are the extra's.
  const report = await loopErrors({ first: 0, step: 5, errors: (index) => [ERRORS[(index / 5) % 5] as never] })
  context.diagnostic(JSON.stringify(report))
  assert.ok(report.operations > 200 && report.rejected > report.runs / 2)
})

test('whichever sync fails, no write was acknowledged that is lost, whatever the file system does with its pages', async (context) => {
  const report = await loopSyncs({ first: 0, step: 3 })
  context.diagnostic(JSON.stringify(report))
  assert.ok(report.operations > 20 && report.resumed > 0)
})

// Found by the error loops: the group had nobody waiting for `written`, and nobody told who asked for it afterwards.
test('a flush after a synced batch that did not fit on the disk settles', async () => {
  const { image } = await baseImage()
  let full = false
  const simulation = simulationOn(image, ({ operation, path }) => {
    if (full && operation === 'write') throw failure('NO_SPACE', operation, path)
  })
  await simulation.open()
  full = true
  const put = simulation.db.put(Buffer.from('a'), Buffer.from('refused'), { durability: 'synced' })
  await assert.rejects(put, (error) => isCode(error, 'NO_SPACE'))
  full = false
  const flush = simulation.db.flush().then(() => 'settled')
  let turns = 0
  const never = async (): Promise<string> => {
    while (turns++ < 500) await simulation.clock.turn()
    return 'waits'
  }
  assert.equal(await Promise.race([flush, never()]), 'settled')
  await simulation.stop()
})

// Found by the error loops: the write was taken back although it was in the journal.
test('an error of the look at the fence is not taken for one of the write before it', async () => {
  const { image } = await baseImage()
  let failing = false
  const simulation = simulationOn(image, ({ operation, path }) => {
    if (failing && operation === 'read' && path.includes('/fence')) throw failure('NO_SPACE', operation, path)
  })
  await simulation.open()
  failing = true
  const put = simulation.db.put(Buffer.from('a'), Buffer.from('written'))
  await assert.rejects(put, (error) => isCode(error, 'OUTCOME_UNKNOWN'))
  failing = false
  await assert.rejects(simulation.db.put(Buffer.from('b'), Buffer.from('later')), (error) =>
    isCode(error, 'POISONED', 'OUTCOME_UNKNOWN'),
  )
  await simulation.stop().catch(() => undefined)
  // What was rejected had been written: a new owner finds it.
  await simulation.open()
  assert.deepEqual(await simulation.db.get(Buffer.from('a')), Buffer.from('written'))
  await simulation.stop()
})

// Found by the error loops: only the flush that came next was told.
test('a compaction whose commit cannot be read back ends the shard, also one that was asked for', async () => {
  const { image } = await baseImage()
  let linked = false
  const simulation = simulationOn(image, ({ operation, path }) => {
    if (linked && path.startsWith('heads')) throw failure('IO_FAILED', operation, path)
    if (armed && operation === 'link' && path.startsWith('heads')) linked = true
  })
  let armed = false
  await simulation.open()
  armed = true
  await assert.rejects(simulation.db.compactRange(), (error) => isCode(error, 'OUTCOME_UNKNOWN'))
  await assert.rejects(simulation.db.put(Buffer.from('a'), Buffer.from('later')), (error) =>
    isCode(error, 'OUTCOME_UNKNOWN'),
  )
  await simulation.stop().catch(() => undefined)
})

test('a fault that comes after the end changes nothing', async () => {
  const report = await runWithFault(await baseImage(), { index: 1_000_000, error: 'IO_FAILED', sticky: true })
  assert.deepEqual(report, { hit: undefined, rejected: 0, resumed: true })
})

// Found by the error loops: an opening that could not create its head took the former owner's for its own, by the nonce alone.
test('an opening whose head was not created does not go on under the epoch before', async () => {
  const report = await runWithFault(await baseImage(), { index: 13, error: 'IO_FAILED', sticky: false })
  assert.equal(
    report.hit?.operation,
    'link',
    'the fixture has another order of operations now: find its link of a head',
  )
})
