/** `varve serve` and `varve work`, in processes of their own. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { DIST } from './varve-modules.ts'

export class Servers {
  readonly #directory: string
  readonly #running: ChildProcess[] = []

  /** @param directory short: a Unix socket's path has at most 107 bytes */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Files, heads and jobs. @returns the address */
  files(name: string): Promise<string> {
    return this.#serve(name, ['--files', `${this.#directory}/${name}`, '--jobs', '0'])
  }

  /** One log for all shards. */
  journal(name: string): Promise<string> {
    return this.#serve(name, ['--journal', `${this.#directory}/${name}`])
  }

  async workers(address: string, count: number): Promise<void> {
    // As if on a machine of their own: they take what the servers leave.
    const words = ['work', '--jobs-at', address, '--places', '1', '--nice', '19']
    for (let index = 0; index < count; index++) await this.#start(words, 'working for')
  }

  /** Of all that run. */
  get pids(): readonly number[] {
    return this.#running.flatMap(({ pid }) => pid ?? [])
  }

  async stop(): Promise<void> {
    for (let child = this.#running.pop(); child !== undefined; child = this.#running.pop()) {
      const running = child
      if (running.exitCode !== null || running.signalCode !== null) continue
      const ended = new Promise((resolve) => running.once('exit', resolve))
      running.kill('SIGKILL')
      await ended
    }
  }

  async #serve(name: string, words: readonly string[]): Promise<string> {
    const address = `unix:${this.#directory}/${name}.sock`
    await this.#start(['serve', ...words, '--listen', address], 'listening on')
    return address
  }

  #start(words: readonly string[], ready: string): Promise<void> {
    const command = fileURLToPath(new URL('cli/main.js', DIST))
    const child = spawn(execPath, [command, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#running.push(child)
    return new Promise((resolve, reject) => {
      let printed = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        if (printed.includes(ready)) resolve()
      })
      child.once('exit', (code, signal) => reject(new Error(`varve ${words.join(' ')} ended with ${signal ?? code}`)))
    })
  }
}
