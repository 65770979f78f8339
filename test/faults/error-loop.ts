/**
 * Error loops: the same scenario with its first operation of the disk failing, then its second, and so on until nothing
 * fails any more (SQLite's I/O error tests, Pebble's errorfs).
 *
 * A call gives the right answer or a typed error, and settles. Once the fault has gone the shard goes on, or says that it
 * must be opened again; what was acknowledged is there then, and after a power cut what was acknowledged as durable.
 */

import assert from 'node:assert/strict'
import { ERROR_KINDS, isCode, VarveError } from '../../src/kernel/errors.ts'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import type { DiskImage } from '../../src/testing/disk-image.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import type { OperationName } from '../../src/testing/device-operation.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import type { FailedSyncs } from '../../src/testing/simulated-inode.ts'
import { effect, isDurable, perform } from '../crash/alphabet.ts'
import type { Operation, State } from '../crash/alphabet.ts'
import { contentOf, simulationOn } from '../crash/crash-simulation.ts'
import { PossibleStates } from './possible-states.ts'
import type { Simulation } from '../simulation.ts'

/** EIO, ENOSPC, EMFILE, EACCES, EROFS. */
export const ERRORS = Object.freeze([
  'IO_FAILED',
  'NO_SPACE',
  'OUT_OF_FILES',
  'PERMISSION_DENIED',
  'READ_ONLY',
] as const)

export interface Fault {
  /** The operation that fails, counted from 0. */
  readonly index: number
  readonly error: ErrorCode
  /** Later ones fail too, until the fault goes. */
  readonly sticky: boolean
  /** Only operations that this lets pass are counted. Default: all. */
  readonly among?: (operation: DeviceOperation) => boolean
  readonly failedSyncs?: FailedSyncs
}

export interface FaultReport {
  /** undefined: the scenario has fewer operations. */
  readonly hit: DeviceOperation | undefined
  /** Calls that were rejected. */
  readonly rejected: number
  /** It took writes again without being opened again. */
  readonly resumed: boolean
}

/** Each is run while the disk may fail; reads of every key follow each. */
const STEPS: readonly Operation[] = [
  'put',
  'batch',
  'flush',
  'del',
  'sync',
  'rotate',
  'put',
  'flush',
  'compact',
  'reopen',
]
const LAST_STEPS: readonly Operation[] = ['put', 'delRange', 'batch', 'flush', 'compact', 'sync']
const KEYS = ['a', 'b', 'c', 'd', 'e', 'r'] as const

/** Nothing of a write that was rejected with one of these is in the journal. */
const REFUSALS = ['NO_SPACE', 'OUT_OF_FILES', 'BUSY', 'POISONED', 'CLOSED', 'FENCED', 'READ_ONLY'] as const

export async function runWithFault(
  base: { readonly image: DiskImage; readonly state: State },
  fault: Fault,
): Promise<FaultReport> {
  const run = new FaultyRun(base, fault)
  await run.all()
  return run.report
}

class FaultyRun {
  readonly #fault: Fault
  readonly #simulation: Simulation
  readonly #states: PossibleStates
  #count = 0
  #armed = true
  #hit: DeviceOperation | undefined
  /** True once a disk has failed in a way of which nobody knows what it has done. */
  #mayEnd = false
  #rejected = 0
  #resumed = true
  #index = 0

  constructor(base: { readonly image: DiskImage; readonly state: State }, fault: Fault) {
    this.#fault = fault
    this.#states = new PossibleStates(base.state)
    this.#simulation = simulationOn(base.image, (operation) => this.#inject(operation), {
      failedWrites: 'some',
      failedSyncs: fault.failedSyncs ?? 'dropped',
    })
    // Every read reads the disk.
    this.#simulation.settings = { ...this.#simulation.settings, cacheBytes: 0 }
  }

  get report(): FaultReport {
    return { hit: this.#hit, rejected: this.#rejected, resumed: this.#resumed }
  }

  async all(): Promise<void> {
    const opened = await this.#attempt('open', () => this.#simulation.open())
    if (opened === undefined) for (const step of [...STEPS, ...LAST_STEPS]) await this.#step(step)
    this.#armed = false
    if (opened === undefined && this.#hit !== undefined) await this.#settle('a pause', this.#pause())
    if (opened === undefined) await this.#goOn()
    await this.#reopen(opened === undefined)
  }

  /** The disk is well again: a shard that takes no writes must have had a reason. */
  async #goOn(): Promise<void> {
    const code = await this.#write('put')
    this.#resumed = code === undefined
    if (this.#resumed) {
      await this.#step('flush', 'must')
      await this.#readAll()
    } else if (code !== 'CLOSED') {
      assert.ok(this.#mayEnd, `after ${this.#fault.error} the shard does not go on: ${String(code)}`)
    }
  }

  async #reopen(open: boolean): Promise<void> {
    const { device } = this.#simulation
    const cut = simulationOn(device.image(device.pendingChanges().map(() => 'lost')))
    await this.#settle('opening after a power cut', cut.open())
    this.#states.checkAfterCut(await contentOf(cut), 'after a power cut')
    if (open) await this.#attempt('close', () => this.#simulation.stop())
    await this.#settle('opening again', this.#simulation.open())
    this.#states.checkNow(await contentOf(this.#simulation), 'opened again')
    await this.#settle('closing', this.#simulation.stop())
  }

  async #step(operation: Operation, must?: 'must'): Promise<void> {
    if (operation === 'reopen') await this.#close()
    else if (effect(operation, new Map(), 0) !== undefined) await this.#write(operation)
    else {
      const error = await this.#attempt(operation, () => this.#perform(operation))
      if (must !== undefined) assert.equal(error, undefined, `${operation} failed although nothing is wrong any more`)
      if (error === undefined && isDurable(operation)) this.#states.durable()
    }
    await this.#readAll()
  }

  /** Closing may fail too; the shard is gone then all the same. */
  async #close(): Promise<void> {
    const closed = await this.#attempt('close', () => this.#simulation.stop())
    if (closed === undefined) this.#states.durable()
    for (let left = 3; left > 0; left--) {
      if ((await this.#attempt('reopen', () => this.#simulation.open())) === undefined) return
    }
    this.#armed = false
    await this.#settle('opening when the disk is well', this.#simulation.open())
  }

  /** @returns the code it was rejected with */
  async #write(operation: Operation): Promise<ErrorCode | undefined> {
    const index = this.#index
    const change = (state: State): State => effect(operation, state, index) ?? state
    const error = await this.#attempt(operation, () => this.#perform(operation))
    if (error === undefined) this.#states.acknowledged(change, isDurable(operation))
    else if (!isCode(error, ...REFUSALS)) this.#states.unknown(change)
    return error?.code
  }

  #perform(operation: Operation): Promise<void> {
    const bench = { db: this.#simulation.db, snapshots: [], reopen: () => Promise.resolve() }
    return perform(operation, bench, this.#index++)
  }

  async #readAll(): Promise<void> {
    const { db } = this.#simulation
    for (const key of KEYS) {
      await this.#attempt(`get ${key}`, async () => {
        const found = await db.get(Buffer.from(key))
        const text = found === undefined ? undefined : Buffer.from(found).toString()
        assert.ok(this.#states.mayBe(key, text), `${key} is ${String(text)}: an error was swallowed`)
      })
    }
    await this.#attempt('scan', async () => this.#states.checkNow(await contentOf(this.#simulation), 'scan'))
  }

  /** @returns the error, which must be typed and follow from the fault */
  async #attempt(what: string, work: () => Promise<void>): Promise<VarveError | undefined> {
    try {
      await this.#settle(what, work())
      return undefined
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      const { kind } = error
      assert.ok(this.#hit !== undefined, `${what} failed before the disk did: ${error.message}`)
      assert.ok(kind !== 'bug' && kind !== 'corrupt', `${what}: ${error.code}: ${error.message}`)
      this.#rejected++
      return error
    }
  }

  /** Waits as long as anything may still happen: turns of the event loop, and timers. */
  async #settle<T>(what: string, work: Promise<T>): Promise<T> {
    let settled = false
    const done = (): void => void (settled = true)
    work.then(done, done)
    const { clock } = this.#simulation
    for (let turns = 0; !settled; turns++) {
      assert.ok(turns < 3000, `${what} never settles`)
      await clock.turn()
      // By then it waits for time to pass, if anything.
      if (turns > 200) clock.advance(100)
    }
    return work
  }

  /** Longer than any pause between two attempts. */
  async #pause(): Promise<void> {
    for (let left = 3; left > 0; left--) {
      this.#simulation.clock.advance(120_000)
      for (let turns = 20; turns > 0; turns--) await this.#simulation.clock.turn()
    }
  }

  #inject(operation: DeviceOperation): void {
    const { index, error, sticky, among } = this.#fault
    if (!this.#armed || among?.(operation) === false) return
    const at = this.#count++
    if (at < index || (at > index && !sticky)) return
    // A disk that is full, or a process without descriptors, goes on failing only where it needs them.
    if (this.#hit !== undefined && !isPlausible(error, operation.operation)) return
    // Nor does opening what is there take any space.
    const isThere = operation.operation === 'open' && this.#simulation.device.files().includes(operation.path)
    if (this.#hit !== undefined && error === 'NO_SPACE' && isThere) return
    this.#hit ??= operation
    if (operation.operation === 'sync' && this.#fault.failedSyncs === 'reverted') this.#states.reverted()
    // Without descriptors nobody can look what has become of a commit: that ends the owner. The journal has written nothing
    // where it could not create a segment.
    if (error === 'OUT_OF_FILES' && operation.path.startsWith('heads')) this.#mayEnd = true
    if (!isPlausible(error, operation.operation) || ERROR_KINDS[error] !== 'retry' || error === 'IO_FAILED') {
      this.#mayEnd = true
    }
    throw failure(error, operation.operation, operation.path)
  }
}

/** True for what runs out of space, or of descriptors; any operation may fail for another reason. */
function isPlausible(error: ErrorCode, operation: OperationName): boolean {
  if (error === 'NO_SPACE') return ['write', 'open', 'makeDirectory', 'link', 'rename'].includes(operation)
  return error !== 'OUT_OF_FILES' || operation === 'open' || operation === 'list'
}
