/** A process that uses worker threads and must end by itself. Run by worker-scheduler.test.ts. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WorkerScheduler } from '../../src/jobs/index.ts'
import type { HandlerReference } from '../../src/jobs/index.ts'
import { testHandler } from '../../src/testing/job-handlers.ts'
import { systemClock, testComposition } from './worker-composition.ts'

const scenario = process.argv[2]
const folder = mkdtempSync(join(tmpdir(), 'varve-process-end-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const scheduler = new WorkerScheduler({
  composition: testComposition(folder),
  clock: systemClock(),
  // No worker ends because it has had nothing to do.
  settings: { restartDelayMs: 200, idleMs: 3_600_000 },
})

if (scenario === 'backing-off') {
  const exit = { module: 'varve-test/exits', export: 'exit', version: 1 }
  for (let death = 0; death < 2; death++) await run(exit, null).catch(() => undefined)
}
await run(testHandler(scenario === 'running' ? 'spin' : 'write'), scenario === 'running' ? 300 : [])
console.log(`done ${scenario}`)
if (scenario === 'closed') {
  await scheduler.close()
  // Standard output is a pipe.
  console.log(
    `resources ${process
      .getActiveResourcesInfo()
      .filter((resource) => resource !== 'PipeWrap')
      .join()}`,
  )
}

function run(handler: HandlerReference, parameters: unknown): Promise<unknown> {
  return scheduler.submit({
    id: 'job',
    attempt: 1,
    handler,
    inputs: [],
    parameters,
    pinnedSeqnos: [],
    outputPrefix: 'job-',
    requirements: { memoryBytes: 0, labels: [] },
    priority: 0,
  }).result
}
