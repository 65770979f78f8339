/**
 * `npm run mutants -- [ID…]`: applies each seeded bug to a copy of the compiled code and runs the tests that must notice.
 *
 * Two at a time, each in a directory of its own. Exits with 1 where a mutant survives or is stale.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv } from 'node:process'
import { ROOT } from '../repository.ts'
import { DISK_MUTANTS } from './disk-mutants.ts'
import { ENGINE_MUTANTS } from './engine-mutants.ts'
import type { Mutant } from './mutant.ts'
import { STEP_MUTANTS } from './step-mutants.ts'

const PARALLEL = 2
// The slowest killer takes a quarter of that on a busy machine; a test that hangs has noticed something.
const KILLER_TIMEOUT_MS = 180_000

/** `stale`: its snippet is not there, or more than once. */
type Fate = { readonly fate: 'killed'; readonly by: string } | { readonly fate: 'survived' | 'stale' }

class Laboratory {
  readonly #directory = mkdtempSync(join(tmpdir(), 'varve-mutants-'))

  constructor() {
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

  async passes(test: string): Promise<boolean> {
    const child = spawn(process.execPath, ['--test', join(this.#directory, 'build', test)], { stdio: 'ignore' })
    const timer = setTimeout(() => child.kill('SIGKILL'), KILLER_TIMEOUT_MS)
    const [code] = (await once(child, 'close')) as [number | null]
    clearTimeout(timer)
    return code === 0
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

async function main(ids: readonly string[]): Promise<number> {
  const chosen = [...DISK_MUTANTS, ...ENGINE_MUTANTS, ...STEP_MUTANTS].filter(
    ({ id }) => ids.length === 0 || ids.includes(id),
  )
  const queue = chosen.slice()
  const poor: string[] = []
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      const laboratory = new Laboratory()
      const sound = new Set<string>()
      try {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          // A test that fails anyway kills nothing.
          for (const killer of next.killers) {
            if (sound.has(killer)) continue
            if (await laboratory.passes(killer)) sound.add(killer)
            else poor.push(`${killer} fails without a mutant`)
          }
          const verdict = await laboratory.examine(next)
          console.log(`${verdict.fate} ${next.id}${'by' in verdict ? `, by ${verdict.by}` : ''}`)
          if (verdict.fate !== 'killed') poor.push(`${next.id} ${verdict.fate}`)
        }
      } finally {
        laboratory.close()
      }
    }),
  )
  for (const problem of poor) console.log(`PROBLEM: ${problem}`)
  console.log(`${chosen.length} mutants, ${poor.length} problems`)
  return chosen.length > 0 && poor.length === 0 ? 0 : 1
}

process.exitCode = await main(argv.slice(2))
