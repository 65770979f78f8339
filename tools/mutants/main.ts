/**
 * `npm run mutants -- [ID…]`: applies each seeded bug to a copy of the compiled code and runs the tests that must notice.
 *
 * Some at a time, each in a directory of its own, behind whatever else the machine has to do. First every test runs
 * without a bug, once: one that fails anyway notices nothing. Exits with 1 where a mutant survives or is stale.
 */

import { argv } from 'node:process'
import { setPriority } from 'node:os'
import { Laboratory } from './laboratory.ts'
import { ALL_MUTANTS } from './all-mutants.ts'
import type { Mutant } from './mutant.ts'

// More than most machines have cores: a test that hangs, or waits for the disk, does not hold up the others.
const PARALLEL = 4
const PRIORITY = 10

/** Does `work` to each of `items`, in order, one in each of the laboratories at a time. */
async function inAll<T>(
  laboratories: readonly Laboratory[],
  items: readonly T[],
  work: (laboratory: Laboratory, item: T) => Promise<void>,
): Promise<void> {
  const queue = items.slice()
  await Promise.all(
    laboratories.map(async (laboratory) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(laboratory, next)
    }),
  )
}

async function findUnsound(laboratories: readonly Laboratory[], mutants: readonly Mutant[]): Promise<string[]> {
  const unsound: string[] = []
  const killers = [...new Set(mutants.flatMap((mutant) => mutant.killers))]
  await inAll(laboratories, killers, async (laboratory, killer) => {
    if (!(await laboratory.passes(killer))) unsound.push(killer)
  })
  console.log(`${killers.length} tests without a mutant, ${unsound.length} fail`)
  return unsound
}

async function main(ids: readonly string[]): Promise<number> {
  const chosen = ALL_MUTANTS.filter(({ id }) => ids.length === 0 || ids.includes(id))
  const poor: string[] = []
  const laboratories = Array.from({ length: PARALLEL }, () => new Laboratory())
  const startMs = performance.now()
  let done = 0
  try {
    for (const killer of await findUnsound(laboratories, chosen)) poor.push(`${killer} fails without a mutant`)
    await inAll(laboratories, chosen, async (laboratory, mutant) => {
      const verdict = await laboratory.examine(mutant)
      const by = 'by' in verdict ? `, by ${verdict.by}` : ''
      console.log(`${++done}/${chosen.length} ${verdict.fate} ${mutant.id}${by}`)
      if (verdict.fate !== 'killed') poor.push(`${mutant.id} ${verdict.fate}`)
    })
  } finally {
    for (const laboratory of laboratories) laboratory.close()
  }
  for (const problem of poor) console.log(`PROBLEM: ${problem}`)
  const minutes = (performance.now() - startMs) / 60_000
  const rate = `${minutes.toFixed(1)} min, ${(chosen.length / minutes).toFixed(1)} mutants a minute`
  console.log(`${chosen.length} mutants, ${poor.length} problems, ${rate}`)
  return chosen.length > 0 && poor.length === 0 ? 0 : 1
}

setPriority(PRIORITY)
process.exitCode = await main(argv.slice(2))
