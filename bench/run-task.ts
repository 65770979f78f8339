/** Starts the process of a peer, and hears from it until it ends. */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { env } from 'node:process'
import { peerEnvironment } from './peers/peer-table.ts'
import type { Message, Outcome, Task } from './task.ts'

const ENTRY = fileURLToPath(new URL('./peer-process.js', import.meta.url))
/** Opening, filling what forgets, and checking take time that is not measured. */
const GRACE_MS = 20 * 60_000
const STDERR_CHARACTERS_MAX = 2000

export type TaskEnd =
  | { readonly type: 'outcome'; readonly outcome: Outcome }
  | { readonly type: 'unable' | 'failed'; readonly reason: string }

export function runTask(task: Task, progress: (fraction: number) => void): Promise<TaskEnd> {
  return new Promise((resolve) => {
    const child = fork(ENTRY, [JSON.stringify(task)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...env, ...peerEnvironment(task.peer) },
      execArgv: ['--expose-gc'],
    })
    let end: TaskEnd | undefined
    let complaint = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-STDERR_CHARACTERS_MAX)
    })
    const timer = setTimeout(() => {
      end = { type: 'failed', reason: `took more than ${Math.round((task.budgetMs + GRACE_MS) / 60_000)} minutes` }
      child.kill('SIGKILL')
    }, task.budgetMs + GRACE_MS)
    child.on('message', (message: Message) => {
      if (message.type === 'progress') progress(message.done / message.operations)
      else end ??= message
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      resolve(end ?? { type: 'failed', reason: `ended with ${signal ?? code}; ${complaint.trim()}` })
    })
  })
}
