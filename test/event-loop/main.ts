/**
 * `npm run measure:event-loop [-- KEYS]`: how long the main thread is held while keys are loaded, flushed, compacted,
 * while the database is closed, and while it is opened again. Default: ten million keys, default settings, in the
 * current directory.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { argv } from 'node:process'
import { open } from '../../src/local.ts'
import { besideBusyWorkers } from './busy-workers.ts'
import { heldWhile } from './held-time.ts'
import type { HeldTime } from './held-time.ts'
import { loadKeys } from './loader.ts'

const keys = Number(argv[2] ?? 10_000_000)
const WORKERS = 2
const LISTED = 6
const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

function report(name: string, { turns, heldMsMost, wallMsMost, histogram, long }: HeldTime): void {
  const [held, wall] = [heldMsMost.toFixed(1), wallMsMost.toFixed(1)]
  console.log(`${name}: ${turns} turns, held for ${held} ms at most (longest by the clock: ${wall} ms)`)
  console.log(`  turns by ms: ${histogram.join(' ')}`)
  for (const { atMs, heldMs, wallMs, collectingMs } of long.toSorted((a, b) => b.heldMs - a.heldMs).slice(0, LISTED)) {
    const [at, collecting] = [(atMs / 1000).toFixed(3), collectingMs.toFixed(1)]
    console.log(`  at ${at} s: ${heldMs.toFixed(1)} ms of ${wallMs.toFixed(1)}, ${collecting} collecting garbage`)
  }
}

report('control', await besideBusyWorkers(WORKERS, () => heldWhile(() => loadKeys(keys, turn))))
const directory = mkdtempSync(resolve('.measure-'))
try {
  const db = await open(directory)
  report('loading', await heldWhile(() => loadKeys(keys, (operations) => db.batch(operations))))
  report('flushing', await heldWhile(() => db.flush()))
  report('settling', await heldWhile(() => db.settle()))
  const { flushes, compactions } = db.statistics()
  console.log(`${flushes} flushes, ${compactions} compactions`)
  await loadKeys(Math.min(keys, 100_000), (operations) => db.batch(operations))
  report('closing', await heldWhile(() => db.close()))
  let again = db
  report('opening', await heldWhile(async () => void (again = await open(directory))))
  await again.close()
} finally {
  rmSync(directory, { recursive: true })
}
