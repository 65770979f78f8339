/** Starts the process of a peer, and hears from it until it ends. */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { env, pid } from 'node:process'
import { ControlGroup } from './measure/control-group.ts'
import { dropPageCache } from './measure/page-cache.ts'
import { DB_BENCH, runDbBench } from './peers/db-bench.ts'
import { peerEnvironment } from './peers/peer-table.ts'
import type { Message, Task, TaskEnd } from './task.ts'
import { workloadNamed } from './workloads/workload-table.ts'

const ENTRY = fileURLToPath(new URL('./peer-process.js', import.meta.url))
/** Opening, filling what forgets, and checking take time that is not measured: */
const GRACE_MS = 20 * 60_000
/** and so does preparing many keys, even at 5,000 a second. */
const GRACE_MS_PER_KEY = 0.2
const NOT_PERMITTED = 'limiting memory and emptying the page cache is not permitted here'
const STDERR_CHARACTERS_MAX = 2000

/** Runs `tasks`, all of one peer, one after the other in one process; `ended` is told in their order, of every one. */
export async function runTasks(
  tasks: readonly Task[],
  progress: (fraction: number) => void,
  ended: (task: Task, end: TaskEnd) => void,
): Promise<void> {
  const [first] = tasks
  if (first === undefined) return
  if (first.peer !== DB_BENCH) return runProcess(tasks, progress, ended)
  for (const task of tasks) {
    const operations = task.workload === 'prepare' ? task.keys : workloadNamed(task.workload).operations(task.keys)
    ended(task, await runDbBench(task, operations))
  }
}

function runProcess(
  tasks: readonly Task[],
  progress: (fraction: number) => void,
  ended: (task: Task, end: TaskEnd) => void,
): Promise<void> {
  const waiting = [...tasks]
  const graceMs = tasks.reduce((sum, { budgetMs, keys }) => sum + budgetMs + keys * GRACE_MS_PER_KEY, GRACE_MS)
  const { memoryBytes } = tasks[0] as Task
  const group = memoryBytes === undefined ? undefined : ControlGroup.make(`varve-bench-${pid}`, memoryBytes)
  if (memoryBytes !== undefined && (group === undefined || !dropPageCache())) {
    group?.remove()
    for (const task of tasks) ended(task, { type: 'unable', reason: NOT_PERMITTED })
    return Promise.resolve()
  }
  return new Promise((resolve, reject) => {
    const child = fork(ENTRY, [JSON.stringify(tasks)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...env, ...peerEnvironment((tasks[0] as Task).peer) },
    })
    const end = (result: TaskEnd): void => {
      const task = waiting.shift()
      if (task === undefined) return
      try {
        ended(task, result)
      } catch (error) {
        waiting.length = 0
        child.kill('SIGKILL')
        reject(error)
      }
    }
    if (group !== undefined && child.pid !== undefined) group.add(child.pid)
    let complaint = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-STDERR_CHARACTERS_MAX)
    })
    const timer = setTimeout(() => {
      complaint += `took more than ${Math.round(graceMs / 60_000)} minutes`
      child.kill('SIGKILL')
    }, graceMs)
    child.on('message', (message: Message) => {
      if (message.type === 'progress') progress(message.done / message.operations)
      else end(message.end)
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      group?.remove()
      while (waiting.length > 0) end({ type: 'failed', reason: `ended with ${signal ?? code}; ${complaint.trim()}` })
      resolve()
    })
  })
}
