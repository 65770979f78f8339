/**
 * `npm run mutants -- [--at-once=N] [ID…]`: applies each seeded bug to a copy of the compiled code and runs the tests that
 * must notice.
 *
 * Some at a time, each in a directory of its own, behind whatever else the machine has to do. A test that fails without a
 * bug notices nothing: each that has noticed one is run without it, once. Exits with 1 where a mutant survives or is stale.
 */

import { setPriority } from 'node:os'
import { argv } from 'node:process'
import { ALL_MUTANTS } from './all-mutants.ts'
import { Laboratory } from './laboratory.ts'
import type { Mutant } from './mutant.ts'

// More than most machines have cores: a test that hangs, or waits for the disk, does not hold up the others.
const AT_ONCE = 4
const PRIORITY = 10

class Examination {
  readonly #mutants: readonly Mutant[]
  /** Whether tests that have noticed a mutant pass without one. */
  readonly #sound = new Map<string, Promise<boolean>>()
  readonly problems: string[] = []
  #done = 0

  constructor(mutants: readonly Mutant[]) {
    this.#mutants = mutants
  }

  /** Examines every mutant, one in each of the laboratories at a time. */
  async run(laboratories: readonly Laboratory[]): Promise<void> {
    const queue = this.#mutants.slice()
    await Promise.all(
      laboratories.map(async (laboratory) => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#examine(laboratory, next)
      }),
    )
  }

  async #examine(laboratory: Laboratory, mutant: Mutant): Promise<void> {
    const verdict = await laboratory.examine(mutant)
    const { fate } = verdict
    if (verdict.fate === 'killed' && !(await this.#isSound(laboratory, verdict.by)))
      this.problems.push(`${verdict.by} fails without a mutant`)
    else if (fate !== 'killed') this.problems.push(`${mutant.id} ${fate}`)
    const by = 'by' in verdict ? `, by ${verdict.by}` : ''
    console.log(`${++this.#done}/${this.#mutants.length} ${fate} ${mutant.id}${by}`)
  }

  #isSound(laboratory: Laboratory, test: string): Promise<boolean> {
    const known = this.#sound.get(test)
    if (known !== undefined) return known
    const passes = laboratory.passes(test)
    this.#sound.set(test, passes)
    return passes
  }
}

async function main(options: readonly string[]): Promise<number> {
  const ids = options.filter((option) => !option.startsWith('--'))
  const atOnce = Number(
    options.find((option) => option.startsWith('--at-once='))?.slice('--at-once='.length) ?? AT_ONCE,
  )
  const chosen = ALL_MUTANTS.filter(({ id }) => ids.length === 0 || ids.includes(id))
  const examination = new Examination(chosen)
  const laboratories = Array.from({ length: Math.min(atOnce, chosen.length) }, () => new Laboratory())
  const startMs = performance.now()
  try {
    await examination.run(laboratories)
  } finally {
    for (const laboratory of laboratories) laboratory.close()
  }
  const { problems } = examination
  for (const problem of problems) console.log(`PROBLEM: ${problem}`)
  const minutes = (performance.now() - startMs) / 60_000
  const rate = `${minutes.toFixed(1)} min, ${(chosen.length / minutes).toFixed(1)} mutants a minute`
  console.log(`${chosen.length} mutants, ${problems.length} problems, ${rate}`)
  return chosen.length > 0 && problems.length === 0 ? 0 : 1
}

setPriority(PRIORITY)
process.exitCode = await main(argv.slice(2))
