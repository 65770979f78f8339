/** The command line of `npm run bench`. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PEER_NAMES, persists } from './peers/peer-table.ts'
import { WORKLOADS } from './workloads/workload-table.ts'

const MIB = 1024 * 1024

export const USAGE = `usage: npm run bench -- [table | smoke] [OPTION…]

  --only NAME,…        workloads, or the beginning of their names (fillrandom, readrandom/sync); default: all
  --peers NAME,…       default: all. varve@DIRECTORY is another build of varve
  --keys COUNT         keys of the prepared data; default 1000000
  --value-bytes COUNT  default 100
  --rounds COUNT       default 3; the table shows medians
  --budget SECONDS     a measurement stops after this; default 10
  --cache-mib COUNT    block cache of every peer that has one; default 64
  --directory PATH     where the data go; default: a folder of the system's temporary directory
  --out PATH           results as JSON lines; default: bench/results/<time>.jsonl
  --resume             leave out what --out already has

  workloads: ${WORKLOADS.map(({ name }) => name).join(', ')}
  peers: ${PEER_NAMES.join(', ')}`

export interface BenchOptions {
  readonly mode: 'table' | 'smoke'
  readonly workloads: readonly string[]
  readonly peers: readonly string[]
  readonly keys: number
  readonly valueBytes: number
  readonly rounds: number
  readonly budgetMs: number
  readonly cacheBytes: number
  readonly directory: string
  readonly out: string | undefined
  readonly resume: boolean
}

/** @throws {TypeError | RangeError} what is wrong */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      keys: { type: 'string' },
      'value-bytes': { type: 'string' },
      rounds: { type: 'string' },
      budget: { type: 'string' },
      'cache-mib': { type: 'string' },
      directory: { type: 'string' },
      out: { type: 'string' },
      resume: { type: 'boolean' },
    },
  })
  const [mode = 'table', ...rest] = positionals
  if ((mode !== 'table' && mode !== 'smoke') || rest.length > 0)
    throw new TypeError(`what is ${positionals.join(' ')}?`)
  const smoke = mode === 'smoke'
  return {
    mode,
    workloads: chosenWorkloads(values.only),
    peers: chosenPeers(values.peers),
    keys: count('keys', values.keys, smoke ? 1000 : 1_000_000),
    valueBytes: count('value-bytes', values['value-bytes'], 100),
    rounds: count('rounds', values.rounds, smoke ? 1 : 3),
    budgetMs: count('budget', values.budget, 10) * 1000,
    cacheBytes: count('cache-mib', values['cache-mib'], 64) * MIB,
    directory: values.directory ?? join(tmpdir(), 'varve-bench'),
    out: values.out,
    resume: values.resume === true,
  }
}

function chosenWorkloads(only: string | undefined): readonly string[] {
  const all = WORKLOADS.map(({ name }) => name)
  if (only === undefined) return all
  const wanted = names(only)
  for (const name of wanted) {
    if (!all.some((other) => matches(other, name))) throw new RangeError(`there is no workload ${name}`)
  }
  return all.filter((name) => wanted.some((beginning) => matches(name, beginning)))
}

function chosenPeers(peers: string | undefined): readonly string[] {
  const chosen = peers === undefined ? PEER_NAMES : names(peers)
  // Says which name is wrong before anything is measured.
  for (const peer of chosen) persists(peer)
  return chosen
}

function matches(name: string, beginning: string): boolean {
  return name === beginning || name.startsWith(`${beginning}/`)
}

function names(list: string): readonly string[] {
  return list.split(',').filter((name) => name !== '')
}

function count(name: string, text: string | undefined, standard: number): number {
  if (text === undefined) return standard
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new RangeError(`--${name} must be a whole number above 0, got ${text}`)
  return value
}
