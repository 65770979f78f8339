import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { loadHash } from '../../src/kernel/hash.ts'
import * as testHandlers from '../../src/testing/job-handlers.ts'
import { testJobScheduler } from '../../src/testing/job-scheduler-conformance.ts'
import { PoorJobScheduler } from '../../src/testing/poor-job-scheduler.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { openTestFiles, systemClock } from './worker-composition.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import * as standardHandlers from '../../src/jobs/standard-handlers.ts'
import { TimeSlices } from '../../src/jobs/time-slices.ts'

const clock = systemClock()
const handlers = new HandlerTable({
  [testHandlers.TEST_HANDLERS]: async () => testHandlers,
  [standardHandlers.STANDARD_HANDLERS]: standardHandlers,
})

async function openInline(settings: { concurrency: number; pendingMax: number }) {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  const files = await openTestFiles(folder)
  const scheduler = new InlineScheduler({ files, hash: await loadHash(), clock, handlers, settings })
  const close = async (): Promise<void> => {
    await scheduler.close()
    rmSync(folder, { recursive: true })
  }
  return { scheduler, files, clock, close }
}

testJobScheduler({ test, name: 'inline', isolated: false, open: openInline })

for (const [name, chance] of [
  ['inline, poorer', {}],
  ['inline, poorer, answers overtaking each other', { random: new SeededRandom(1) }],
] as const) {
  testJobScheduler({
    test,
    name,
    isolated: false,
    async open({ concurrency, pendingMax }) {
      const { scheduler: inner, files, close } = await openInline({ concurrency, pendingMax: 100 })
      const scheduler = new PoorJobScheduler({ inner, clock, pendingMax, delayTurns: 3, ...chance })
      return {
        scheduler,
        files,
        clock,
        async close() {
          await scheduler.close()
          await close()
        },
      }
    },
  })
}

test('jobs that have used up their slices get one turn of the event loop each', async () => {
  const turns: (() => void)[] = []
  const slices = new TimeSlices({ ...clock, turn: () => new Promise((resolve) => turns.push(resolve)) }, 4)
  const resumed: string[] = []
  void slices.turn().then(() => resumed.push('a'))
  void slices.turn().then(() => resumed.push('b'))
  await clock.turn()
  assert.equal(turns.length, 1, 'two jobs were to resume in one turn')
  turns[0]?.()
  await clock.turn()
  assert.deepEqual(resumed, ['a'])
  assert.equal(turns.length, 2)
  turns[1]?.()
  await clock.turn()
  assert.deepEqual(resumed, ['a', 'b'])
})
