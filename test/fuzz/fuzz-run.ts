/** Runs cases of one target, judges each, and cuts a failing one down. */

import { setFlagsFromString, getHeapStatistics } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { HOSTILE } from './hostile-bytes.ts'
import { mutate, randomMutations } from './mutation.ts'
import type { Mutation, Pieces } from './mutation.ts'

export interface FuzzCase {
  readonly target: string
  readonly specimen: number
  readonly sealed: boolean
  readonly mutations: readonly Mutation[]
}

export interface FuzzFailure {
  readonly number: number
  /** With as few mutations as it takes. */
  readonly shortest: FuzzCase
  readonly reason: string
}

export interface FuzzReport {
  readonly cases: number
  /** Cases that gave a value rather than an error. */
  readonly accepted: number
  readonly failures: readonly FuzzFailure[]
}

const CASE_MS_MAX = 100
const HEAP_TIMES_MAX = 8
const HEAP_BYTES_BASE = 1024 * 1024
const FAILURES_MAX = 5
/** Instead of a reason: it was parsed. */
const ACCEPTED = Symbol('accepted')

/** Cases that are the same for every seed: each hostile payload in place of each piece, sealed and not. */
function fixedCases({ name, specimens }: FuzzTarget): readonly FuzzCase[] {
  const pieces = specimens[0]?.length ?? 0
  return Array.from({ length: pieces }, (_, piece) => piece).flatMap((piece) =>
    HOSTILE.flatMap((_, value) =>
      [true, false].map((sealed) => ({
        target: name,
        specimen: 0,
        sealed,
        mutations: [{ kind: 'hostile', piece, at: 0, from: 0, length: 0, value } as const],
      })),
    ),
  )
}

/** Case `number` of `seed`. Of the first few, every second is the same for every seed. */
function caseOf(target: FuzzTarget, fixed: readonly FuzzCase[], seed: number, number: number): FuzzCase {
  const same = number % 2 === 0 ? fixed[number / 2] : undefined
  if (same !== undefined) return same
  let name = 0
  for (const character of target.name) name = (Math.imul(name, 31) + character.charCodeAt(0)) | 0
  const random = new SeededRandom((seed ^ name ^ Math.imul(number, 0x85ebca6b)) | 0)
  return {
    target: target.name,
    specimen: random.below(target.specimens.length),
    sealed: random.below(3) > 0,
    mutations: randomMutations(random),
  }
}

export class FuzzRun {
  readonly #target: FuzzTarget
  readonly #corpus: readonly Uint8Array[]
  readonly #fixed: readonly FuzzCase[]
  readonly #caseMsMax: number
  #accepted = 0

  /** @param caseMsMax of a processor */
  constructor(target: FuzzTarget, caseMsMax = CASE_MS_MAX) {
    this.#target = target
    this.#caseMsMax = caseMsMax
    this.#corpus = target.specimens.flat()
    this.#fixed = fixedCases(target)
  }

  /** @param begins told of every case before it runs, so that one that never ends can be named */
  async run(seed: number, first: number, count: number, begins?: (number: number) => void): Promise<FuzzReport> {
    const failures: FuzzFailure[] = []
    let cases = 0
    for (let number = first; number < first + count && failures.length < FAILURES_MAX; number++, cases++) {
      begins?.(number)
      const one = caseOf(this.#target, this.#fixed, seed, number)
      const reason = await this.judge(one)
      if (reason !== undefined) failures.push({ number, ...(await this.#shorten(one, reason)) })
    }
    return { cases, accepted: this.#accepted, failures }
  }

  /**
   * Why a case fails, or undefined.
   *
   * @param carefully measure memory also where a first look finds nothing: what others had left may be collected meanwhile
   */
  async judge(one: FuzzCase, carefully = false): Promise<string | undefined> {
    const stored = this.#stored(one)
    const heapMax = HEAP_TIMES_MAX * bytesOf(stored) + HEAP_BYTES_BASE + (this.#target.heapBytes ?? 0)
    const before = getHeapStatistics()
    const started = performance.now()
    const reason = await this.#parse(stored)
    const tookMs = performance.now() - started
    const after = getHeapStatistics()
    if (reason === ACCEPTED) this.#accepted++
    else if (reason !== undefined) return reason
    const msMax = this.#caseMsMax
    if (tookMs > msMax && (await this.#leastMs(stored)) > msMax) return `it takes over ${msMax} ms`
    if (carefully || takenBytes(before, after) > heapMax) {
      const bytes = await this.#takenBytes(stored)
      if (bytes > heapMax) return `it takes ${bytes} bytes of memory for ${bytesOf(stored)}, where ${heapMax} may be`
    }
    return undefined
  }

  #stored({ specimen, mutations, sealed }: FuzzCase): Pieces {
    const pieces = this.#target.specimens[specimen] as Pieces
    return this.#target.join(mutate(pieces, mutations, this.#corpus), sealed)
  }

  /** ACCEPTED, undefined for a typed error, or what is wrong. */
  async #parse(stored: Pieces): Promise<typeof ACCEPTED | string | undefined> {
    try {
      const result = this.#target.parse(stored)
      if (result instanceof Promise) await result
      return ACCEPTED
    } catch (error) {
      if (isCode(error, 'LIMIT_EXCEEDED') && this.#target.isRequest !== true)
        return `stored bytes are damaged, not over a limit: ${error.message}`
      if (error instanceof VarveError || this.#target.isAnswer?.(error) === true) return undefined
      return error instanceof Error ? (error.stack ?? String(error)) : `threw ${String(error)}`
    }
  }

  /** Of the processor, which others do not take away. */
  async #leastMs(stored: Pieces): Promise<number> {
    let least = Infinity
    for (let round = 0; round < 3; round++) {
      const started = process.cpuUsage()
      await this.#parse(stored)
      const { user, system } = process.cpuUsage(started)
      least = Math.min(least, (user + system) / 1000)
    }
    return least
  }

  async #takenBytes(stored: Pieces): Promise<number> {
    const taken: number[] = []
    for (let round = 0; round < 5; round++) {
      collectGarbage()
      const before = getHeapStatistics()
      await this.#parse(stored)
      taken.push(takenBytes(before, getHeapStatistics()))
    }
    // Not the most, for which code may have been compiled; nor less: what others had left behind may be given back meanwhile.
    return taken.sort((a, b) => b - a)[1] as number
  }

  async #shorten(one: FuzzCase, reason: string): Promise<{ readonly shortest: FuzzCase; readonly reason: string }> {
    let shortest = one
    let reasonOfShortest = reason
    for (let index = one.mutations.length - 1; index >= 0; index--) {
      const mutations = shortest.mutations.filter((_, other) => other !== index)
      const reasonWithout = await this.judge({ ...shortest, mutations }, true)
      if (reasonWithout === undefined) continue
      shortest = { ...shortest, mutations }
      reasonOfShortest = reasonWithout
    }
    return { shortest, reason: reasonOfShortest }
  }
}

type HeapStatistics = ReturnType<typeof getHeapStatistics>

/** What was allocated in between, the garbage with it, unless some of it has been collected: what was held is less. */
function takenBytes(before: HeapStatistics, after: HeapStatistics): number {
  return after.used_heap_size - before.used_heap_size + after.external_memory - before.external_memory
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

function bytesOf(stored: Pieces): number {
  return stored.reduce((sum, bytes) => sum + bytes.length, 0)
}
