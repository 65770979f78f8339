/** Opening what was closed, and what was not: the process that wrote it was killed. */

import { argv, execPath, kill, pid } from 'node:process'
import { spawn } from 'node:child_process'
import { Chunk } from '../data/chunk.ts'
import type { Task } from '../task.ts'
import type { Run, Workload } from './workload.ts'
import { OVERWRITE_BATCH, overwrite, overwritten } from './writes.ts'

export const CRASH = 'crash'
export const RECOVER = 'recover'

const MIDDLE = 0.5

/** The first get says what opening put off. */
async function open(run: Run): Promise<void> {
  const chunk = new Chunk(run.values, 1)
  const index = Math.floor(run.keys * MIDDLE)
  chunk.setKey(0, index)
  run.stopwatch.start()
  const value = await run.store.get(chunk.keys[0] as Buffer)
  run.stopwatch.stop()
  run.seen.add(value === undefined ? 0 : run.values.fingerprint(value))
  run.wanted.add(run.model.read(index))
  run.figures['firstGetMs'] = run.stopwatch.elapsedMs
  run.done = 1
}

const crashes = (keys: number): number => Math.max(1, Math.floor(keys / 8))

/** What a killed process must have left: everything it was told is written. */
async function recover(run: Run): Promise<void> {
  overwritten(run)
  await open(run)
}

export const OPENING_WORKLOADS: readonly Workload[] = [
  {
    name: 'open',
    title: 'open what was closed; the first get',
    unit: 'gets/s',
    data: 'prepared',
    operations: () => 1,
    run: open,
  },
  {
    name: RECOVER,
    title: 'open what a killed process left',
    unit: 'gets/s',
    data: 'copy',
    needs: 'written',
    operations: crashes,
    run: recover,
  },
]

/** The first half of `recover`, in a process that does not come back. */
export const CRASH_WORKLOAD: Workload = {
  name: CRASH,
  title: 'overwrite, then be killed',
  unit: 'entries/s',
  data: 'copy',
  needs: 'written',
  operations: crashes,
  run: async (run) => {
    await overwrite(run, OVERWRITE_BATCH)
    kill(pid, 'SIGKILL')
    await new Promise(() => undefined)
  },
}

/** Runs it. @throws {Error} it ended in another way */
export function crash(task: Task): Promise<void> {
  const tasks = JSON.stringify([{ ...task, workload: CRASH, budgetMs: Number.MAX_SAFE_INTEGER }])
  return new Promise((resolve, reject) => {
    const child = spawn(execPath, [argv[1] ?? '', tasks], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = text
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve()
      else reject(new Error(`the process to be killed ended with ${code}; ${output}`))
    })
  })
}
