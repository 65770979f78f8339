/** Processes of a cluster on this machine: services and workers as `varve` starts them, hosts of a shard. */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { HostRequest } from './host.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const HOST = fileURLToPath(new URL('./host.js', import.meta.url))
// Of anything that is waited for, on a machine however busy.
const PATIENCE_MS = 120_000

export class Process {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #text = ''
  #errors = ''

  constructor(words: readonly string[], prefix: readonly string[] = []) {
    const [command = process.execPath, ...rest] = [...prefix, process.execPath, ...words]
    this.#child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#text += text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    this.#closed = once(this.#child, 'close')
  }

  get text(): string {
    return this.#text
  }

  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#child.kill(name)
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#closed
  }

  /** @throws {Error} it ends before, or takes for ever */
  async until(what: string, holds: (text: string) => boolean): Promise<void> {
    for (const limit = performance.now() + PATIENCE_MS; !holds(this.#text);) {
      if (this.#child.exitCode !== null && !holds(this.#text)) throw new Error(`ended before ${what}: ${this.#errors}`)
      if (performance.now() > limit) throw new Error(`never: ${what}; said ${this.#text.slice(-300)} ${this.#errors}`)
      await sleep(10)
    }
  }
}

/** A process that is started again where it was. */
export class Service {
  readonly #words: (address: string) => readonly string[]
  #process: Process | undefined
  #address = 'tcp://127.0.0.1:0'

  /** @param words after `varve`, given where to listen */
  constructor(words: (address: string) => readonly string[]) {
    this.#words = words
  }

  get address(): string {
    return this.#address
  }

  get process(): Process {
    if (this.#process === undefined) throw new Error('it was not started')
    return this.#process
  }

  async start(): Promise<this> {
    this.#process = new Process([MAIN, ...this.#words(this.#address)])
    await this.#process.until('it listens or works', (text) => /^(listening on|working for) /m.test(text))
    this.#address = /listening on (\S+):/.exec(this.#process.text)?.[1] ?? this.#address
    return this
  }

  async restart(): Promise<void> {
    await this.process.kill()
    await this.start()
  }

  /** Sleeps while `work` is done. */
  async asleep(work: () => Promise<void>): Promise<void> {
    this.process.signal('SIGSTOP')
    await work()
    this.process.signal('SIGCONT')
  }
}

export class Host {
  readonly name: string
  readonly #process: Process

  /** @param prefix runs it, such as in another network namespace */
  constructor(request: HostRequest, prefix: readonly string[] = []) {
    this.name = request.name
    this.#process = new Process([HOST, JSON.stringify(request)], prefix)
  }

  get acknowledged(): readonly number[] {
    return [...this.#process.text.matchAll(/^ack ([0-9]+)$/gm)].map((match) => Number(match[1]))
  }

  get refusals(): ReadonlySet<string> {
    return new Set([...this.#process.text.matchAll(/^refused (.*)$/gm)].map((match) => match[1] as string))
  }

  async opens(): Promise<void> {
    await this.#process.until(`${this.name} opens`, (text) => text.startsWith('open\n'))
  }

  /** Resolves when `count` more writes have been acknowledged. */
  async acknowledges(count: number): Promise<void> {
    const before = this.acknowledged.length
    await this.#process.until(`${this.name} is acknowledged`, () => this.acknowledged.length >= before + count)
  }

  /** Resolves when `count` more writes have been acknowledged, with true, or none will be. */
  async givesOrAcknowledges(count: number): Promise<boolean> {
    const before = this.acknowledged.length
    const goesOn = (): boolean => this.acknowledged.length >= before + count
    await this.#process.until(`${this.name} goes on, or is refused`, (text) => goesOn() || text.endsWith('done\n'))
    return goesOn()
  }

  /** Resolves when it has been refused with `code`. */
  async isTold(code: string): Promise<void> {
    await this.#process.until(`${this.name} is told ${code}`, () => this.refusals.has(code))
  }

  /** Resolves with the first of `codes` that a call was told, whether it may be made again or not. */
  async hears(...codes: readonly string[]): Promise<string> {
    const told = (): string | undefined =>
      [...this.#process.text.matchAll(/^(?:again|refused) (.*)$/gm)]
        .map(([, code]) => code)
        .find((code) => codes.includes(code as string))
    await this.#process.until(`${this.name} hears ${codes.join(' or ')}`, () => told() !== undefined)
    return told() as string
  }

  /** Resolves when it has been refused, and all of its calls have settled. */
  async gives(): Promise<void> {
    await this.#process.until(`${this.name} is refused`, (text) => text.endsWith('done\n'))
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.signal(name)
  }

  kill(): Promise<void> {
    return this.#process.kill()
  }
}
