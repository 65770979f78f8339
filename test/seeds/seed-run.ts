/**
 * One seed of the whole system: a shard on a simulated disk with latency and faults, clients that read and write at the
 * same time, processes that are killed, cut from power and taken over. Then the faults end, and everything must work.
 */

import assert from 'node:assert/strict'
import { isCode, VarveError } from '../../src/kernel/errors.ts'
import type { KvOperation } from '../../src/engines/kv/kv.ts'
import { KV_POLICIES } from '../../src/engines/kv/settings.ts'
import type { CrashPolicy } from '../../src/testing/simulated-device.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import type { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { EventTrace } from '../../src/testing/event-trace.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedScheduler } from '../../src/testing/simulated-scheduler.ts'
import type { SimulatedProcess } from '../../src/testing/simulated-scheduler.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { answersOf, contentOf, KEYS, keyOf } from './content.ts'
import { DiskFaults } from './disk-faults.ts'
import { History } from './history.ts'
import { RecordedCalls } from './recorded-calls.ts'
import type { Call } from './recorded-calls.ts'

export interface SeedReport {
  /** SHA-256 of everything that happened. */
  readonly hash: string
  readonly events: number
  readonly writes: number
  readonly rejected: number
  readonly crashes: number
  /** Calls on keys whose answers some order explains. */
  readonly checked: number
  /** How often what went wrong did: `write NO_SPACE`, `kill`. */
  readonly faults: Readonly<Record<string, number>>
}

const CRASHES: readonly CrashPolicy[] = [
  { data: 'none', names: 'none' },
  { data: 'some', names: 'some' },
  { data: 'some', names: 'all' },
  { data: 'all', names: 'none' },
]

/** How long a run is. The same seed with another length is another history. */
export interface SeedLength {
  /** Lives of the shard. */
  readonly rounds: number
  /** Of each of three clients in each of them. */
  readonly calls: number
}

export const SEED_LENGTH: SeedLength = Object.freeze({ rounds: 4, calls: 12 })

/** @throws what is wrong, with the seed */
export async function runSeed(seed: number, length: SeedLength = SEED_LENGTH): Promise<SeedReport> {
  try {
    return await new SeedRun(seed, length).all()
  } catch (cause) {
    throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

class SeedRun {
  readonly #random: SeededRandom
  readonly #trace = new EventTrace()
  readonly #scheduler: SimulatedScheduler
  readonly #history = new History()
  readonly #recorded = new RecordedCalls()
  readonly #faults: DiskFaults
  readonly #settings: ConstructorParameters<typeof Simulation>[1]
  readonly #seed: number
  readonly #length: SeedLength
  #process: SimulatedProcess
  #simulation: Simulation
  #calls = 0
  #writes = 0
  #rejected = 0
  #crashes = 0
  /** What a client found to be wrong. */
  #failure: { readonly error: unknown } | undefined

  constructor(seed: number, length: SeedLength) {
    this.#seed = seed
    this.#length = length
    this.#random = new SeededRandom(seed)
    const random = this.#random
    const trace = (label: string, atMs: number): void => this.#trace.event(label, atMs)
    this.#scheduler = new SimulatedScheduler({ random, slackMs: [0, 0.5, 20][random.below(3)] as number, trace })
    this.#settings = {
      ...TINY_SETTINGS,
      memtableBytes: [1024, 2048, 65_536][random.below(3)] as number,
      cacheBytes: [0, 4096, 4 << 20][random.below(3)] as number,
      policy: KV_POLICIES.filter((policy) => policy !== 'fifo')[random.below(3)] ?? 'leveled',
      compression: random.once(2) ? 'none' : 'lz4',
      filterBitsPerKey: random.once(2) ? 0 : 10,
    }
    this.#faults = new DiskFaults(random, this.#trace)
    this.#process = this.#scheduler.process()
    this.#simulation = this.#start(this.#process, undefined)
  }

  async all(): Promise<SeedReport> {
    await this.#scheduler.run(this.#simulation.open())
    for (let round = 0; round < this.#length.rounds; round++) {
      this.#faults.oneIn = this.#random.once(2) ? 0 : 20 + this.#random.below(200)
      const clients = Promise.all([this.#client(), this.#client(), this.#client()])
      const ended = clients.catch((error: unknown) => void (this.#failure ??= { error }))
      if (this.#random.once(3)) await this.#scheduler.run(ended)
      else await this.#scheduler.pass(this.#random.below(30))
      this.#check()
      await this.#end(['kill', 'powerCut', 'takeOver', 'close'][this.#random.below(4)] as 'kill')
    }
    await this.#liveness()
    const [writes, rejected, crashes] = [this.#writes, this.#rejected, this.#crashes]
    const { checked } = this.#recorded
    return {
      events: this.#trace.count,
      hash: this.#trace.digest(),
      writes,
      rejected,
      crashes,
      checked,
      faults: this.#faults.counts,
    }
  }

  #start(
    process: SimulatedProcess,
    device: ((options: Simulation['deviceOptions']) => SimulatedDevice) | undefined,
  ): Simulation {
    const options = {
      record: false,
      failedWrites: 'some' as const,
      failedSyncs: 'dropped' as const,
      delay: () => process.sleep(this.#faults.latencyMs(), 'disk'),
      before: (operation: DeviceOperation) => this.#faults.before(process, operation),
    }
    const simulation = new Simulation(this.#seed + process.id, this.#settings, options, 'main', undefined, process)
    if (device !== undefined) simulation.device = device(simulation.deviceOptions)
    return simulation
  }

  async #client(): Promise<void> {
    const process = this.#process
    const simulation = this.#simulation
    for (let left = this.#length.calls; left > 0; left--) {
      await process.sleep(this.#random.below(4000) / 1000, 'client')
      if (!(await this.#attempt(() => this.#call(simulation, process)))) return
    }
  }

  /** @returns false where the shard takes no more calls */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      assert.ok(error.kind !== 'bug' && error.kind !== 'corrupt', `${error.code}: ${error.message}`)
      this.#rejected++
      return error.kind === 'retry'
    }
  }

  async #call(simulation: Simulation, process: SimulatedProcess): Promise<void> {
    const { db } = simulation
    const kind = this.#random.below(20)
    if (kind < 9) await this.#write(simulation)
    else if (kind < 15) await this.#read(simulation)
    else if (kind < 17) {
      const { count } = this.#history
      await (kind === 15 ? db.sync() : db.flush())
      this.#history.durable(count)
    } else if (kind === 17) await this.#readSnapshot(simulation, process)
    else if (kind === 18) await db.compactRange()
    else await db.settle()
  }

  async #write({ db }: Simulation): Promise<void> {
    const changes = new Map<string, string | undefined>()
    const operations: KvOperation[] = []
    for (let left = 1 + this.#random.below(3); left > 0; left--) {
      const key = this.#key()
      const value = this.#random.once(4) ? undefined : this.#value()
      changes.set(key, value)
      const bytes = Buffer.from(key)
      if (value === undefined) operations.push({ type: 'delete', key: bytes })
      else operations.push({ type: 'put', key: bytes, value: Buffer.from(value) })
    }
    const durability = this.#random.once(3) ? ('synced' as const) : ('written' as const)
    this.#writes++
    const write = this.#history.call(changes)
    const calls = this.#recorded.begin(
      ...[...changes].map(([key, value]) =>
        value === undefined ? { type: 'delete' as const, key } : { type: 'put' as const, key, value },
      ),
    )
    try {
      await db.batch(operations, { durability })
      this.#history.acknowledge(write, durability === 'synced')
      this.#recorded.answer(calls, [])
    } catch (error) {
      if (isCode(error, 'NO_SPACE', 'OUT_OF_FILES', 'BUSY')) {
        write.state = 'refused'
        this.#recorded.refuse(calls)
      }
      throw error
    }
  }

  async #read({ db }: Simulation): Promise<void> {
    const key = this.#key()
    const { floor } = this.#history
    const calls = this.#recorded.begin({ type: 'get', key })
    const found = await db.get(Buffer.from(key))
    const text = found === undefined ? undefined : Buffer.from(found).toString()
    this.#recorded.answer(calls, [text ?? null])
    assert.ok(this.#history.mayRead(floor, key, text), `read ${String(text)} of ${key}`)
  }

  /** The same twice, whatever is written, flushed and compacted meanwhile. */
  async #readSnapshot(simulation: Simulation, process: SimulatedProcess): Promise<void> {
    const calls = this.#beginReads()
    const snapshot = simulation.db.snapshot()
    const taken = this.#recorded.now()
    try {
      const first = await contentOf(simulation, snapshot)
      this.#recorded.answer(calls, answersOf(calls, first), taken)
      await process.sleep(this.#random.below(10), 'client')
      assert.deepEqual(await contentOf(simulation, snapshot), first, 'a snapshot has changed')
    } finally {
      snapshot.close()
    }
  }

  /** The process ends in one way or another, and the next one takes over. */
  async #end(how: 'kill' | 'powerCut' | 'takeOver' | 'close'): Promise<void> {
    this.#crashes++
    this.#faults.count(how)
    const [former, process] = [this.#simulation, this.#process]
    if (how === 'close') await this.#scheduler.run(former.stop().catch(() => undefined))
    this.#faults.end()
    this.#process = this.#scheduler.process()
    if (how !== 'takeOver') process.kill()
    this.#simulation = this.#start(this.#process, (options) => {
      if (how === 'takeOver') return former.device.shared(options)
      if (how !== 'powerCut') return former.device.kill(options)
      const policy = CRASHES[this.#random.below(CRASHES.length)] as CrashPolicy
      return former.device.crash(policy, this.#random.u32(), options)
    })
    this.#simulation.cleansUp = how !== 'takeOver'
    await this.#scheduler.run(this.#simulation.open())
    const calls = this.#beginReads()
    // What the former owner was told until now must be there; of what it is told later nothing is checked but that.
    const content = await this.#scheduler.run(contentOf(this.#simulation))
    process.kill()
    this.#check()
    this.#history.recovered(content, how === 'powerCut' ? 'power cut' : 'kill', how)
    // A power cut may take back what was only written.
    if (how !== 'powerCut') this.#recorded.answer(calls, answersOf(calls, content))
    this.#recorded.check()
    this.#recorded.restart(content)
  }

  /** Nothing fails any more: everything works, and what is there survives one more power cut. */
  async #liveness(): Promise<void> {
    const { db } = this.#simulation
    const work = async (): Promise<void> => {
      for (let left = 5; left > 0; left--) await this.#write(this.#simulation)
      await db.flush()
      await db.settle()
      for await (const { damage } of db.verify()) assert.equal(damage, undefined)
      await db.close()
      this.#history.durable(this.#history.count)
    }
    await this.#scheduler.run(work())
    await this.#end('powerCut')
    await this.#scheduler.run(this.#simulation.stop())
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Of every key. */
  #beginReads(): readonly Call[] {
    return this.#recorded.begin(
      ...Array.from({ length: KEYS }, (_, number) => ({ type: 'get' as const, key: keyOf(number) })),
    )
  }

  #key(): string {
    return keyOf(this.#random.below(KEYS))
  }

  #value(): string {
    return `${++this.#calls}`.padEnd(this.#random.below(40), 'x')
  }
}
