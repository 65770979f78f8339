/**
 * `npm run bench -- corruption [--cases N] [--peers NAME,NAME] [--directory PATH]`: damages small databases of several
 * engines in the same ways, opens each in a process of its own, reads everything, and prints a table of what came of it.
 */

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { damagesOf } from './damages.ts'
import type { Damage } from './damages.ts'
import type { Examination, Verdict } from './examiner.ts'
import { makeSpecimen } from './specimen.ts'
import type { Specimen } from './specimen.ts'

const OUTCOMES = ['an error', 'as before', 'wrong', 'crash', 'hang'] as const
type Outcome = (typeof OUTCOMES)[number]

const EXAMINER = fileURLToPath(new URL('./examiner.js', import.meta.url))
// An examination takes some 20 ms. What takes this long is not slow.
const DEADLINE_MS = 30_000
// What a process leaves open, such as maps of files, adds up.
const CASES_PER_PROCESS = 100
const WRONG_SHOWN = 3

function option(name: string): string | undefined {
  const at = argv.indexOf(`--${name}`)
  return at < 0 ? undefined : argv[at + 1]
}

class Examiner {
  readonly #peer: string
  #child: ChildProcess | undefined
  #cases = 0

  constructor(peer: string) {
    this.#peer = peer
  }

  async examine(examination: Examination): Promise<Outcome> {
    if (this.#cases++ % CASES_PER_PROCESS === 0) this.stop()
    // What a crash prints is not for the table.
    this.#child ??= fork(EXAMINER, [this.#peer], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    const child = this.#child
    const outcome = await new Promise<Outcome>((resolve) => {
      const timer = setTimeout(() => resolve('hang'), DEADLINE_MS)
      const settle = (settled: Outcome): void => {
        clearTimeout(timer)
        resolve(settled)
      }
      child.once('message', (verdict: Verdict) => settle(verdict))
      child.once('exit', () => settle('crash'))
      child.send(examination)
    })
    child.removeAllListeners()
    if (outcome === 'crash' || outcome === 'hang') this.stop()
    return outcome
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }
}

function store(directory: string, { files }: Specimen, { path, bytes }: Damage): void {
  rmSync(directory, { recursive: true, force: true })
  for (const [name, content] of files) {
    const stored = name === path ? bytes : content
    if (stored === undefined) continue
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), stored)
  }
}

async function sweep(peer: string, cases: number, place: string): Promise<readonly string[]> {
  const specimen = await makeSpecimen(peer, join(place, 'whole'))
  const content = [...specimen.content]
  const examiner = new Examiner(peer)
  const counts = new Map<string, Map<Outcome, number>>()
  const wrong: string[] = []
  const directory = join(place, 'damaged')
  const check = { kind: '', what: '', path: '', bytes: undefined }
  store(directory, specimen, check)
  const whole = await examiner.examine({ directory, content })
  if (whole !== 'as before') throw new Error(`${peer}: a database without damage gives: ${whole}`)
  for (const damage of damagesOf(specimen, cases)) {
    store(directory, specimen, damage)
    const outcome = await examiner.examine({ directory, content })
    const ofKind = counts.get(damage.kind) ?? new Map<Outcome, number>()
    counts.set(damage.kind, ofKind.set(outcome, (ofKind.get(outcome) ?? 0) + 1))
    if (outcome === 'wrong' && wrong.length < WRONG_SHOWN) wrong.push(`${damage.path}: ${damage.kind}, ${damage.what}`)
  }
  examiner.stop()
  for (const line of wrong) console.error(`${peer}, wrong: ${line}`)
  return [...counts].map(([kind, ofKind]) => {
    const all = [...ofKind.values()].reduce((sum, count) => sum + count, 0)
    return `| ${[peer, kind, all, ...OUTCOMES.map((outcome) => ofKind.get(outcome) ?? 0)].join(' | ')} |`
  })
}

const cases = Number(option('cases') ?? 300)
const peers = (option('peers') ?? 'varve,classic-level,lmdb').split(',')
const place = option('directory') ?? mkdtempSync(join(tmpdir(), 'varve-corruption-'))
console.log(`| engine | damage | cases | ${OUTCOMES.join(' | ')} |\n|${' - |'.repeat(3 + OUTCOMES.length)}`)
for (const peer of peers) {
  for (const line of await sweep(peer, cases, join(place, peer))) console.log(line)
}
if (option('directory') === undefined) rmSync(place, { recursive: true, force: true })
