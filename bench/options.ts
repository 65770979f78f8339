/** The command line of `npm run bench`. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PEER_NAMES, persists } from './peers/peer-table.ts'
import { growing, largeValues, largerThanMemory, scene } from './scene.ts'
import type { Scene } from './scene.ts'
import { WORKLOADS } from './workloads/workload-table.ts'

const MIB = 1024 * 1024

const MODES = ['table', 'growth', 'smoke', 'report'] as const
const SCENES = ['base', 'large', 'tight'] as const
/** Of more keys than this only varve and RocksDB are asked. */
const GROWTH_KEYS = [1_000_000, 10_000_000, 50_000_000]

export const USAGE = `usage: npm run bench -- [${MODES.join(' | ')}] [OPTION…]

  table                every workload, then large values, then data larger than memory
  growth               throughput, space and opening as data grow
  smoke                all of it, small; every byte of every result is checked
  report               no measurement: table and charts of what --out has

  --only NAME,…        workloads, or the beginning of their names (fillrandom, readrandom/sync, limit)
  --peers NAME,…       default: all. varve@DIRECTORY is another build of varve
  --scenes NAME,…      of ${SCENES.join(', ')}; default: all, or base with --only
  --keys COUNT         keys of the prepared data; default 1000000
  --sizes COUNT,…      keys of growth; default ${GROWTH_KEYS.join(',')}
  --value-bytes COUNT  default 100
  --rounds COUNT       default 3; the table shows medians
  --budget SECONDS     a measurement stops after this; default 10
  --cache-mib COUNT    block cache of every peer that has one; default 256
  --directory PATH     where the data go; default: a folder of the system's temporary directory
  --out PATH           results, a JSON line each; default: bench/results/<time>.jsonl. Table and charts go beside it
  --keep               leave the prepared data in --directory, and use what is there
  --resume             leave out what --out already has

  workloads: ${WORKLOADS.map(({ name }) => name).join(', ')}
  peers: ${PEER_NAMES.join(', ')}`

export interface BenchOptions {
  readonly mode: (typeof MODES)[number]
  readonly scenes: readonly Scene[]
  readonly peers: readonly string[]
  readonly rounds: number
  readonly budgetMs: number
  readonly cacheBytes: number
  readonly directory: string
  readonly out: string | undefined
  readonly resume: boolean
  readonly keep: boolean
}

/** @throws {TypeError | RangeError} what is wrong */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      scenes: { type: 'string' },
      keys: { type: 'string' },
      sizes: { type: 'string' },
      'value-bytes': { type: 'string' },
      rounds: { type: 'string' },
      budget: { type: 'string' },
      'cache-mib': { type: 'string' },
      directory: { type: 'string' },
      out: { type: 'string' },
      resume: { type: 'boolean' },
      keep: { type: 'boolean' },
    },
  })
  const [name = 'table', ...rest] = positionals
  const mode = MODES.find((other) => other === name)
  if (mode === undefined || rest.length > 0) throw new TypeError(`what is ${positionals.join(' ')}?`)
  const smoke = mode === 'smoke'
  return {
    mode,
    scenes: mode === 'growth' ? growing(sizes(values.sizes), valueBytes(values)) : chosenScenes(values, smoke),
    peers: chosenPeers(values.peers),
    rounds: count('rounds', values.rounds, smoke || mode === 'growth' ? 1 : 3),
    budgetMs: count('budget', values.budget, 10) * 1000,
    cacheBytes: count('cache-mib', values['cache-mib'], 256) * MIB,
    directory: values.directory ?? join(tmpdir(), 'varve-bench'),
    out: values.out,
    keep: values.keep === true,
    resume: values.resume === true || mode === 'report',
  }
}

interface Values {
  readonly only?: string | undefined
  readonly scenes?: string | undefined
  readonly keys?: string | undefined
  readonly 'value-bytes'?: string | undefined
}

function valueBytes(values: Values): number {
  return count('value-bytes', values['value-bytes'], 100)
}

function chosenScenes(values: Values, smoke: boolean): readonly Scene[] {
  const keys = count('keys', values.keys, smoke ? 1000 : 1_000_000)
  const wanted =
    values.scenes === undefined ? (values.only === undefined && !smoke ? SCENES : ['base']) : names(values.scenes)
  const workloads = chosenWorkloads(values.only)
  const only = (list: readonly Scene[]): readonly Scene[] =>
    list.map((each) => ({ ...each, workloads: each.workloads.filter((workload) => workloads.includes(workload)) }))
  return wanted.flatMap((part) => {
    if (part === 'base') {
      const limits = !smoke && (values.only === undefined || names(values.only).includes('limit'))
      return [{ ...scene(keys, valueBytes(values), workloads), limits }]
    }
    if (part === 'large') return only(largeValues(keys))
    if (part === 'tight') return only([largerThanMemory(keys)])
    throw new RangeError(`there is no scene ${part}`)
  })
}

function sizes(list: string | undefined): readonly number[] {
  return list === undefined ? GROWTH_KEYS : names(list).map((size) => count('sizes', size, 1))
}

function chosenWorkloads(only: string | undefined): readonly string[] {
  const all = WORKLOADS.map(({ name }) => name)
  if (only === undefined) return all
  const wanted = names(only)
  for (const name of wanted) {
    if (name !== 'limit' && !all.some((other) => matches(other, name)))
      throw new RangeError(`there is no workload ${name}`)
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
