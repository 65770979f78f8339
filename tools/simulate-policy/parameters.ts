/** What the simulator is asked for on its command line. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { KIB } from '../../src/kernel/limits.ts'
import { KV_POLICIES } from '../../src/engines/kv/settings.ts'
import type { KvPolicy } from '../../src/engines/kv/settings.ts'
import { DISTRIBUTIONS } from './workload.ts'
import type { Distribution } from './workload.ts'

export interface Parameters {
  readonly distribution: Distribution
  readonly keys: number
  readonly writes: number
  readonly valueBytes: number
  readonly memtableBytes: number
  readonly speed: number
  readonly seed: number
  readonly policies: readonly KvPolicy[]
  readonly out: string
}

const OPTIONS = {
  distribution: { type: 'string', default: 'uniform' },
  keys: { type: 'string', default: '400000' },
  writes: { type: 'string', default: '1200000' },
  value: { type: 'string', default: '100' },
  memtable: { type: 'string', default: '512' },
  speed: { type: 'string', default: '5' },
  seed: { type: 'string', default: '1' },
  policies: { type: 'string', default: KV_POLICIES.join(',') },
  out: { type: 'string', default: join(tmpdir(), 'varve-policies.svg') },
  help: { type: 'boolean', default: false },
} as const

export const HELP = `Simulates the compaction policies on one workload and draws what they cost.

npm run simulate:policy -- [options]

  --distribution <name>   default ${OPTIONS.distribution.default}, or one of
${Object.entries(DISTRIBUTIONS)
  .map(([name, text]) => `      ${name.padEnd(12)}${text}`)
  .join('\n')}
  --keys <count>          different keys, default ${OPTIONS.keys.default}
  --writes <count>        default ${OPTIONS.writes.default}
  --value <bytes>         of each entry, besides a key of 16 bytes; default ${OPTIONS.value.default}
  --memtable <KiB>        default ${OPTIONS.memtable.default}; sizes of tables and levels follow
  --speed <entries>       that a compaction reads in the time of one write, default ${OPTIONS.speed.default}
  --seed <number>         default ${OPTIONS.seed.default}
  --policies <names>      default ${OPTIONS.policies.default}
  --out <file>            the drawing, SVG; default ${OPTIONS.out.default}`

/** undefined where help is asked for. @throws {TypeError} {RangeError} naming the option */
export function parseParameters(args: readonly string[]): Parameters | undefined {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true })
  if (values.help) return undefined
  const policies = values.policies.split(',').map((name) => name.trim())
  return {
    distribution: oneOf('distribution', values.distribution, Object.keys(DISTRIBUTIONS) as Distribution[]),
    keys: count('keys', values.keys, 1, 2 ** 30),
    writes: count('writes', values.writes, 1, 2 ** 30),
    valueBytes: count('value', values.value, 0, 2 ** 30),
    memtableBytes: count('memtable', values.memtable, 1, 2 ** 20) * KIB,
    speed: count('speed', values.speed, 0.01, 1e9),
    seed: count('seed', values.seed, 0, 2 ** 31),
    policies: policies.map((name) => oneOf('policies', name, KV_POLICIES)),
    out: values.out,
  }
}

function count(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= least && value <= most)) {
    throw new RangeError(`--${option} must be a number, ${least} to ${most}, got ${text}`)
  }
  return value
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((each) => each === text)
  if (name === undefined) throw new TypeError(`--${option} must be one of ${names.join(', ')}, got ${text}`)
  return name
}
