/**
 * Crash-point enumeration: before every operation of the disk that changes it, the power fails, in every way there is.
 * What is left is opened, and compared with the states the database has had: it must be one that is not older than what
 * was acknowledged as durable, batches whole, without an error; and must still be so when it crashes again meanwhile.
 *
 * Disks that are the same, and may hold the same states, are checked once (ALICE and Pathfinder do so too).
 */

import assert from 'node:assert/strict'
import { hashKey } from '../../src/kernel/hash.ts'
import { crashStates } from '../../src/testing/crash-states.ts'
import type { DiskImage } from '../../src/testing/disk-image.ts'
import type { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { OperationName } from '../../src/testing/device-operation.ts'
import { effect, isDurable, perform } from './alphabet.ts'
import type { Operation, State, Workload } from './alphabet.ts'
import { contentOf, simulationOn } from './crash-simulation.ts'
import type { Simulation } from '../simulation.ts'

/** Before these the disk may be another than before the one that went before; syncs change what may be lost. */
const CHANGES: ReadonlySet<OperationName> = new Set([
  'open',
  'write',
  'sync',
  'truncate',
  'link',
  'rename',
  'unlink',
  'syncDirectory',
  'makeDirectory',
])

export interface EnumerationOptions {
  readonly seed: number
  /** How often a recovery may be cut in turn. 1: not at all. */
  readonly depth: number
  /** Of the distinct disks, one in so many is cut again while it recovers, at every operation. */
  readonly recrashOneOf: number
}

export interface EnumerationReport {
  workloads: number
  /** Operations of disks before which the power failed. */
  prefixes: number
  /** Disks that were built. */
  states: number
  /** Those among them that were different, each opened and checked. */
  distinct: number
  /** Those among these that a cut during recovery left. */
  recrashed: number
}

/** A disk, and the states that may be found on it: `first` to `last` of the workload's. */
interface CrashCase {
  readonly image: DiskImage
  readonly policy: string
  readonly prefix: number
  first: number
  readonly last: number
}

export class CrashEnumeration {
  readonly report: EnumerationReport = { workloads: 0, prefixes: 0, states: 0, distinct: 0, recrashed: 0 }
  readonly #base: { readonly image: DiskImage | undefined; readonly state: State }
  readonly #options: EnumerationOptions
  readonly #checked = new Set<string>()

  constructor(base: { readonly image: DiskImage | undefined; readonly state: State }, options: EnumerationOptions) {
    this.#base = base
    this.#options = options
  }

  /** @throws {AssertionError} saying workload, prefix, policy and what was found */
  async run(workload: Workload): Promise<void> {
    const { cases, states } = await this.#record(workload)
    this.report.workloads++
    const texts = states.map(textOf)
    for (const each of cases.values()) await this.#check(each, texts, workload.join(' '), 1)
  }

  /** Runs the workload once, and takes images of the disk on the way. */
  async #record(workload: readonly Operation[]): Promise<{ cases: Map<string, CrashCase>; states: readonly State[] }> {
    const states = [this.#base.state]
    // Nothing is there to be lost before the database is.
    const expected = { first: 0, last: 0 }
    const recorder = new Recorder(this.#options.seed, this.report, expected)
    const simulation = simulationOn(this.#base.image, ({ operation }) => recorder.before(operation, simulation.device))
    await simulation.open()
    const bench = {
      db: simulation.db,
      snapshots: [],
      reopen: async () => {
        await simulation.reopen()
        bench.db = simulation.db
      },
    }
    for (const [index, operation] of workload.entries()) {
      const next = effect(operation, states.at(-1) as State, index)
      if (next !== undefined) states.push(next)
      expected.last = states.length - 1
      await perform(operation, bench, index)
      if (isDurable(operation)) expected.first = expected.last
    }
    await simulation.stop()
    expected.first = expected.last
    recorder.before('sync', simulation.device)
    return { cases: recorder.cases, states }
  }

  async #check(each: CrashCase, texts: readonly string[], workload: string, depth: number): Promise<void> {
    const allowed = texts.slice(each.first, each.last + 1)
    const key = `${each.image.hash} ${hashText(allowed.join('\n'))}`
    if (this.#checked.has(key)) return
    this.#checked.add(key)
    this.report.distinct++
    if (depth > 1) this.report.recrashed++
    const { seed, recrashOneOf } = this.#options
    const recrash = depth < this.#options.depth && hashText(key) % recrashOneOf === 0
    const expected = { first: each.first, last: each.last }
    const recorder = recrash ? new Recorder(seed, this.report, expected) : undefined
    const simulation = simulationOn(each.image, ({ operation }) => recorder?.before(operation, simulation.device))
    const what = `${workload}: ${each.policy} before operation ${each.prefix}, depth ${depth}`
    try {
      await simulation.open()
      const text = textOf(await contentOf(simulation))
      assert.ok(allowed.includes(text), `found ${text}, expected one of ${allowed.join(' | ')}`)
      if (recorder !== undefined) recorder.done = true
      await checkSecondLife(simulation, text)
    } catch (cause) {
      throw new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
    for (const next of recorder?.cases.values() ?? []) await this.#check(next, texts, what, depth + 1)
  }
}

/** One more write, acknowledged as synced, and one more power cut that keeps nothing else: both lives are there. */
async function checkSecondLife(simulation: Simulation, text: string): Promise<void> {
  await simulation.db.put(Buffer.from('z'), Buffer.from('second life'), { durability: 'synced' })
  const { device } = simulation
  const after = simulationOn(device.image(device.pendingChanges().map(() => 'lost')))
  await after.open()
  const second = textOf(await contentOf(after))
  assert.equal(second, `${text}z=second life;`, 'after one more write and one more power cut')
  // Neither is used any more. Dead processes hold nothing but memory.
  device.kill()
  after.device.kill()
}

/** Takes images of a disk before its operations. */
class Recorder {
  readonly cases = new Map<string, CrashCase>()
  /** True: take no more. */
  done = false
  readonly #seed: number
  readonly #report: EnumerationReport
  readonly #expected: { readonly first: number; readonly last: number }
  #prefix = 0

  constructor(seed: number, report: EnumerationReport, expected: { readonly first: number; readonly last: number }) {
    this.#seed = seed
    this.#report = report
    this.#expected = expected
  }

  before(operation: OperationName, device: SimulatedDevice): void {
    if (this.done || !CHANGES.has(operation)) return
    const { first, last } = this.#expected
    const prefix = this.#prefix++
    this.#report.prefixes++
    for (const { policy, fates } of crashStates(device.pendingChanges(), this.#seed + prefix)) {
      this.#report.states++
      const image = device.image(fates)
      const found = this.cases.get(image.hash)
      // The same disk later on: more has been acknowledged.
      if (found !== undefined) found.first = first
      else this.cases.set(image.hash, { image, policy, prefix, first, last })
    }
  }
}

function textOf(state: State): string {
  let text = ''
  for (const [key, value] of state) text += `${key}=${value.length > 40 ? value.slice(0, 10) : value};`
  return text
}

function hashText(text: string): number {
  const bytes = Buffer.from(text)
  return hashKey(bytes, 0, bytes.length, 7)
}
