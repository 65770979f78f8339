/** Workloads: which keys are written, in which order, and which of them are deleted. */

import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { keyCode } from './sorted-keys.ts'

export const DISTRIBUTIONS = Object.freeze({
  fill: 'every key once, in random order, and over again from the start',
  uniform: 'every write to any key',
  zipf: 'few keys are written often, most hardly ever (exponent 0.99), hot ones all over the key space',
  sequential: 'keys in ascending order, and over again from the start',
  overwrite: 'every key once in random order, then nine of ten writes to a tenth of them',
  series: 'ascending keys, each deleted when as many newer ones are there as there are keys',
})

export type Distribution = keyof typeof DISTRIBUTIONS

export interface WorkloadOptions {
  readonly distribution: Distribution
  /** Different keys. */
  readonly keys: number
  readonly writes: number
  readonly seed: number
  /** Where what is old is forgotten by itself, series are not deleted from. */
  readonly deletes: boolean
}

/** Codes of all operations, in order; in a series a write and a deletion take turns. */
export function makeWorkload(options: WorkloadOptions): Uint32Array {
  const { distribution, keys, writes } = options
  const random = new SeededRandom(options.seed)
  if (distribution === 'series') return makeSeries(options)
  const keyOf = KEY_SOURCES[distribution](keys, random)
  const codes = new Uint32Array(writes)
  for (let index = 0; index < writes; index++) codes[index] = keyCode(keyOf(index), false)
  return codes
}

type KeySource = (keys: number, random: SeededRandom) => (index: number) => number

const KEY_SOURCES: Readonly<Record<Exclude<Distribution, 'series'>, KeySource>> = {
  fill: (keys, random) => {
    const order = shuffled(keys, random)
    return (index) => order[index % keys] as number
  },
  uniform: (keys, random) => () => random.below(keys),
  zipf: (keys, random) => {
    const rank = zipf(keys, 0.99, random)
    const order = shuffled(keys, random)
    return () => order[rank()] as number
  },
  sequential: (keys) => (index) => index % keys,
  overwrite: (keys, random) => {
    const order = shuffled(keys, random)
    const hot = Math.max(1, Math.floor(keys / 10))
    return (index) => order[index < keys ? index : random.below(random.below(10) < 9 ? hot : keys)] as number
  },
}

function makeSeries({ keys, writes, deletes }: WorkloadOptions): Uint32Array {
  const codes: number[] = []
  for (let key = 0; key < writes; key++) {
    codes.push(keyCode(key, false))
    if (deletes && key >= keys) codes.push(keyCode(key - keys, true))
  }
  return Uint32Array.from(codes)
}

function shuffled(count: number, random: SeededRandom): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index)
  for (let index = count - 1; index > 0; index--) {
    const other = random.below(index + 1)
    const kept = order[index] as number
    order[index] = order[other] as number
    order[other] = kept
  }
  return order
}

/** After J. Gray et al.: Quickly Generating Billion-Record Synthetic Databases, SIGMOD 1994. */
function zipf(count: number, exponent: number, random: SeededRandom): () => number {
  let zeta = 0
  for (let rank = 1; rank <= count; rank++) zeta += 1 / rank ** exponent
  const second = 1 + 0.5 ** exponent
  const alpha = 1 / (1 - exponent)
  const eta = (1 - (2 / count) ** (1 - exponent)) / (1 - second / zeta)
  return () => {
    const share = random.u32() / 2 ** 32
    if (share * zeta < 1) return 0
    if (share * zeta < second) return Math.min(1, count - 1)
    return Math.min(count - 1, Math.floor(count * (eta * share - eta + 1) ** alpha))
  }
}
