/** Runs the compiled command in a process of its own, as a user would, and folders for it to work in. */

import { spawn } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ByteSink } from '../../src/cli/byte-sink.ts'
import type { ByteSource } from '../../src/cli/command.ts'
import { runCommandLine } from '../../src/cli/command-line.ts'
import type { Output } from '../../src/cli/output.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly out: Buffer
  /** Standard output and standard error as text. */
  readonly text: string
  readonly errors: string
}

export interface Running {
  readonly pid: number
  readonly ended: Promise<Outcome>
  readonly signal: (name: 'SIGHUP' | 'SIGINT' | 'SIGTERM' | 'SIGKILL') => void
  /** Resolves when standard error has this, so many times. Default: once. */
  readonly says: (text: string, times?: number) => Promise<void>
  /** What standard output has had so far, once it has this. */
  readonly prints: (text: string) => Promise<string>
  /** Closes our end of its standard output. */
  readonly hangUp: () => void
}

/** @param input standard input; undefined: it stays open and empty */
export function start(
  words: readonly string[],
  options: { readonly cwd: string; readonly input?: Uint8Array | string },
): Running {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: options.cwd,
    env: { ...process.env, VARVE_DEBUG: '' },
    stdio: 'pipe',
  })
  const out: Buffer[] = []
  let errors = ''
  child.stdout.on('data', (piece: Buffer) => out.push(piece))
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()))
  // What it does not read is its own business.
  child.stdin.on('error', () => undefined)
  if (options.input !== undefined) child.stdin.end(options.input)
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code) => {
      const bytes = Buffer.concat(out)
      resolve({ code, out: bytes, errors, text: bytes.toString() })
    })
  })
  return {
    pid: child.pid ?? 0,
    ended,
    signal: (name) => void child.kill(name),
    says: async (text, times = 1) => {
      while (errors.split(text).length <= times && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 10))
    },
    prints: async (text) => {
      for (;;) {
        const printed = Buffer.concat(out).toString()
        if (printed.includes(text)) return printed
        if (child.exitCode !== null) throw new Error(`it ended without saying ${text}: ${errors}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    hangUp: () => child.stdout.destroy(),
  }
}

export class Workplace {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'varve-command-')))

  constructor(context: Pick<TestContext, 'after'>) {
    context.after(() => rmSync(this.path, { recursive: true, force: true }))
  }

  /** Runs `varve` here, with nothing, or `input`, on its standard input. */
  varve(words: readonly string[], input: Uint8Array | string = ''): Promise<Outcome> {
    return start(words, { cwd: this.path, input }).ended
  }

  /**
   * The same without a process of its own, which takes a hundred times as long to start: for the many ways in which a
   * command line can be wrong. Not at the same time as another.
   */
  async inProcess(words: readonly string[]): Promise<Outcome> {
    const former = process.cwd()
    const out: string[] = []
    const errors: string[] = []
    const output: Output = {
      columns: 100,
      live: false,
      line: (text = '') => void out.push(`${text}\n`),
      note: (text) => void errors.push(`${text}\n`),
      status: () => undefined,
    }
    const stdout: ByteSink = {
      interactive: false,
      write: (bytes) => void out.push(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1')),
      flush: () => Promise.resolve(),
    }
    const stdin: ByteSource = { interactive: false, read: () => Readable.from([]) }
    process.chdir(this.path)
    try {
      const context = {
        output,
        stdin,
        stdout,
        signal: new AbortController().signal,
        onHangUp: () => undefined,
        now: () => performance.now(),
      }
      const code = await runCommandLine(words, context, { debug: false })
      return { code, out: Buffer.from(out.join('')), text: out.join(''), errors: errors.join('') }
    } finally {
      process.chdir(former)
    }
  }

  in(...names: readonly string[]): string {
    return join(this.path, ...names)
  }
}
