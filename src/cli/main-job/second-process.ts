/** Runs `varve demo-check` in a process of its own, which knows nothing of this one's memory. */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ShardCheckReport } from './shard-check.ts'

/** The one message of that process: what it has found. */
export interface CheckMessage {
  readonly varveDemoCheck: ShardCheckReport
}

/** @throws {Error} it ended without saying what it has found; it has told why on stderr */
export async function checkInSecondProcess(
  data: string,
  input: string,
  signal: AbortSignal,
): Promise<ShardCheckReport> {
  const main = fileURLToPath(new URL('../main.js', import.meta.url))
  const child = fork(main, ['demo-check', '--data', data, '--input', input], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const interrupt = (): void => void child.kill('SIGINT')
  signal.addEventListener('abort', interrupt, { once: true })
  let report: ShardCheckReport | undefined
  child.on('message', (message) => {
    report = (message as CheckMessage).varveDemoCheck
  })
  const ended = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    // `close` comes after the last message, `exit` may come before it.
    child.once('close', (code, killedBy) => resolve(killedBy === null ? `exit code ${code}` : `signal ${killedBy}`))
  })
  signal.removeEventListener('abort', interrupt)
  signal.throwIfAborted()
  if (report === undefined) throw new Error(`the second process ended with ${ended} before it had compared everything`)
  return report
}
