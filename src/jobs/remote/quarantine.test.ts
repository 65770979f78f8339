import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainJobSpec } from '../../testing/plain-job-spec.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { Quarantine } from './quarantine.ts'
import { resolveBrokerSettings } from './settings.ts'

/** Without inputs the prefix names the work. */
const work = plainJobSpec

test('work that fails on is kept away twice as long each time, and never longer than is set', () => {
  const clock = new SimulatedClock()
  const settings = resolveBrokerSettings({ failuresMax: 2, quarantineMs: 1_000, quarantineMsMax: 3_000 })
  const quarantine = new Quarantine(clock, settings)
  for (const forMs of [0, 1_000, 2_000, 3_000, 3_000]) {
    quarantine.failed(work('poisoned'))
    assert.equal(quarantine.remainingMs(work('poisoned')), forMs)
    assert.equal(quarantine.remainingMs(work('other')), 0)
    clock.advance(forMs)
    assert.equal(quarantine.remainingMs(work('poisoned')), 0)
  }
})

test('of all that has failed only the latest is remembered, however much of it there is', () => {
  const settings = resolveBrokerSettings({ failuresMax: 1, quarantineMs: 600_000 })
  const quarantine = new Quarantine(new SimulatedClock(), settings)
  for (let index = 0; index < 1_024; index++) quarantine.failed(work(`work-${index}`))
  quarantine.failed(work('work-0'))
  quarantine.failed(work('one more'))
  const remembered = (name: string): boolean => quarantine.remainingMs(work(name)) > 0
  assert.deepEqual(['work-0', 'work-1', 'work-2', 'one more'].map(remembered), [true, false, true, true])
})
