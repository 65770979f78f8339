import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { Rebuilder } from './rebuilder.ts'

/** `outcomes` of attempts, in order; afterwards they succeed. */
function bench(...outcomes: readonly (VarveError | undefined)[]) {
  const clock = new SimulatedClock()
  const told = { attempts: 0, stalls: [] as (Error | undefined)[], failures: [] as VarveError[] }
  const rebuilder: Rebuilder = new Rebuilder(clock, 100, {
    rebuild: () => {
      const outcome = outcomes[told.attempts++]
      return outcome === undefined ? Promise.resolve() : Promise.reject(outcome)
    },
    stalled: () => void told.stalls.push(rebuilder.stalledBy),
    failed: (error) => void told.failures.push(error),
  })
  const settle = async (ms: number): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await clock.turn()
    clock.advance(ms)
    for (let turn = 0; turn < 5; turn++) await clock.turn()
  }
  return { rebuilder, told, settle }
}

const denied = new VarveError('PERMISSION_DENIED', 'no login')

test('where the journal lets nobody read, it is tried again until it does, at most five seconds later', async () => {
  const { rebuilder, told, settle } = bench(...Array.from({ length: 20 }, () => denied))
  rebuilder.begin(Promise.resolve())
  for (let times = 0; times < 10; times++) await settle(5_000)
  assert.ok(rebuilder.running && told.attempts >= 11, String(told.attempts))
  assert.equal(rebuilder.failingFor(5_000), denied)
  assert.equal(told.stalls[0], denied)
  for (let times = 0; times < 12; times++) await settle(5_000)
  assert.equal(told.attempts, 21)
  assert.deepEqual([rebuilder.running, rebuilder.stalledBy, rebuilder.failingFor(0)], [false, undefined, undefined])
  assert.deepEqual(told.failures, [])
})

test('a journal that is damaged, or has another owner, is not read again', async () => {
  for (const code of ['JOURNAL_CORRUPT', 'FENCED'] as const) {
    const { rebuilder, told, settle } = bench(new VarveError(code, 'for good'))
    rebuilder.begin(Promise.resolve())
    await settle(60_000)
    assert.deepEqual([told.attempts, rebuilder.running], [1, false])
    assert.ok(isCode(told.failures[0], 'POISONED') && isCode(told.failures[0].cause, code))
  }
})

test('whoever closes does not wait for the next attempt', async () => {
  const { rebuilder, told, settle } = bench(denied, denied)
  rebuilder.begin(Promise.resolve())
  await settle(0)
  await rebuilder.stop()
  await settle(60_000)
  assert.equal(told.attempts, 1)
})

test('an append that is refused as soon as writes go on is heard', async () => {
  const { rebuilder, told, settle } = bench()
  rebuilder.begin(Promise.resolve())
  rebuilder.begin(Promise.resolve())
  await settle(0)
  assert.deepEqual([told.attempts, rebuilder.running], [2, false])
})
