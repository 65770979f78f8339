/** Processes of the example: `varve serve`, `varve work` and shard hosts, each as an operator would start it. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('cli/main.js', import.meta.resolve('varve')))

export interface Started {
  readonly process: ChildProcess
  /** What it has printed when it was ready: where it listens, mostly. */
  readonly address: string
}

/** `varve …`, once it says that it listens or works. */
export function varve(words: readonly string[]): Promise<Started> {
  return start([COMMAND, ...words])
}

/** A shard host: see host.ts. */
export function host(words: readonly string[]): Promise<Started> {
  return start([fileURLToPath(new URL('./host.js', import.meta.url)), ...words])
}

function start(words: readonly string[]): Promise<Started> {
  const child = spawn(execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      const found = /(?:listening on|working for) (\S+?):? /.exec(printed.replaceAll('\n', ' \n'))
      if (found !== null) resolve({ process: child, address: found[1] as string })
    })
    child.once('exit', (code, signal) => reject(new Error(`${words[1] ?? words[0]} ended with ${signal ?? code}`)))
  })
}

export async function stop({ process: child }: Started, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await ended
}
