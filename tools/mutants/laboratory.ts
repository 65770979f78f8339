/** A copy of the compiled code in which a bug may be planted, and the tests run that must notice it. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../repository.ts'
import type { Mutant } from './mutant.ts'

// The slowest killer takes a quarter of that on a busy machine; a test that hangs has noticed something.
const KILLER_TIMEOUT_MS = 600_000
// A line of TAP: of a test, or of one within another.
const FAILURE = /^\s*not ok /m

/** `stale`: its snippet is not there, or more than once. */
export type Fate =
  { readonly fate: 'killed'; readonly by: string } | { readonly fate: 'survived' } | { readonly fate: 'stale' }

export class Laboratory {
  readonly #directory = mkdtempSync(join(tmpdir(), 'varve-mutants-'))

  /** Where tests make their folders: those that are killed leave them. */
  readonly #temporary = join(this.#directory, 'tmp')

  constructor() {
    mkdirSync(this.#temporary)
    cpSync(join(ROOT, 'build'), join(this.#directory, 'build'), { recursive: true })
    // What tests and tools read beside the compiled code.
    for (const name of ['package.json', 'tsconfig.json', 'node_modules', 'src', 'docs', 'test', 'tools']) {
      symlinkSync(join(ROOT, name), join(this.#directory, name))
    }
  }

  async examine({ file, find, replace, killers }: Mutant): Promise<Fate> {
    const path = join(this.#directory, 'build/src', file)
    const whole = readFileSync(path, 'utf8')
    if (whole.split(find).length !== 2) return { fate: 'stale' }
    writeFileSync(
      path,
      whole.replace(find, () => replace),
    )
    try {
      for (const killer of killers) if (!(await this.passes(killer))) return { fate: 'killed', by: killer }
      return { fate: 'survived' }
    } finally {
      writeFileSync(path, whole)
    }
  }

  /** Whether a test file passes. The first failure in it ends it. */
  async passes(test: string): Promise<boolean> {
    // Without `--test`, which would be one process more.
    const path = join(this.#directory, 'build', test)
    const child = spawn(process.execPath, ['--test-reporter=tap', path], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, TMPDIR: this.#temporary },
    })
    let failed = false
    let tail = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      tail += text
      failed ||= FAILURE.test(tail)
      tail = tail.slice(tail.lastIndexOf('\n') + 1)
      if (failed) child.kill('SIGKILL')
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), KILLER_TIMEOUT_MS)
    const [code] = (await once(child, 'close')) as [number | null]
    clearTimeout(timer)
    return code === 0 && !failed
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
