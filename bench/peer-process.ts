/**
 * Runs tasks on one peer, in a process of its own, and checks what came out.
 *
 *      node peer-process.js <tasks as JSON>
 */

import { argv, exit } from 'node:process'
import { execute } from './execute.ts'
import { MACHINE, measureLimit } from './measure-limit.ts'
import type { Peer } from './peers/peer.ts'
import { peerNamed } from './peers/peer-table.ts'
import type { Message, Task, TaskEnd } from './task.ts'
import { RECOVER, crash } from './workloads/opening.ts'
import { workloadNamed } from './workloads/workload-table.ts'

/** Why the peer cannot do what the task asks; undefined where it can. */
function inability(peer: Peer, task: Task): string | undefined {
  const needs = task.workload === 'prepare' ? undefined : workloadNamed(task.workload).needs
  return needs === undefined || peer.supports[needs] ? undefined : `has no ${needs}`
}

function tell(message: Message, then: () => void = () => undefined): void {
  if (process.send === undefined) {
    console.log(JSON.stringify(message))
    then()
  } else process.send(message, undefined, {}, then)
}

async function endOf(task: Task): Promise<TaskEnd> {
  try {
    if (task.peer === MACHINE) return { type: 'outcome', outcome: await measureLimit(task) }
    const peer = peerNamed(task.peer)
    const reason = inability(peer, task)
    if (reason !== undefined) return { type: 'unable', reason }
    if (task.workload === RECOVER && peer.persists) await crash(task)
    const outcome = await execute(task, peer, (done, operations) => tell({ type: 'progress', done, operations }))
    return { type: 'outcome', outcome }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      return { type: 'unable', reason: 'is not installed' }
    }
    return { type: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

for (const task of JSON.parse(argv[2] ?? '') as Task[]) {
  const end = await endOf(task)
  await new Promise<void>((resolve) => tell({ type: 'end', end }, resolve))
}
// A peer may leave threads or timers behind; the process ends when its answers are out.
exit(0)
