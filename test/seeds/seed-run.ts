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
import { SEED_LENGTH } from './seed-length.ts'
import type { SeedLength, SeedReport } from './seed-length.ts'

const CRASHES: readonly CrashPolicy[] = [
  { data: 'none', names: 'none' },
  { data: 'some', names: 'some' },
  { data: 'some', names: 'all' },
  { data: 'all', names: 'none' },
]

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
  /** Whose answers count: while the next one opens, still the one before. */
  #owner: SimulatedProcess
  /** Was replaced, and goes on. */
  #zombie: SimulatedProcess | undefined
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
    this.#process = this.#owner = this.#scheduler.process()
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
    return {
      events: this.#trace.count,
      hash: this.#trace.digest(),
      writes: this.#writes,
      rejected: this.#rejected,
      crashes: this.#crashes,
      checked: this.#recorded.checked,
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
      const call = (): Promise<void> =>
        process === this.#owner ? this.#call(simulation, process) : this.#callOfZombie(simulation)
      if (!(await this.#attempt(call, process))) return
    }
  }

  /** @returns false where the shard takes no more calls */
  async #attempt(work: () => Promise<void>, process: SimulatedProcess): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      const isDamage = error.kind === 'corrupt' && process === this.#owner
      assert.ok(error.kind !== 'bug' && !isDamage, `${error.code}: ${error.message}`)
      this.#rejected++
      return error.kind === 'retry'
    }
  }

  async #call(simulation: Simulation, process: SimulatedProcess): Promise<void> {
    const { db } = simulation
    const kind = this.#random.below(20)
    if (kind < 9) await this.#write(simulation, process)
    else if (kind < 15) await this.#read(simulation, process)
    else if (kind < 17) {
      const { count } = this.#history
      await (kind === 15 ? db.sync() : db.flush())
      if (process === this.#owner) this.#history.durable(count)
    } else if (kind === 17) await this.#readSnapshot(simulation, process)
    else if (kind === 18) await db.compactRange()
    else await db.settle()
  }

  /** Of an owner that was replaced no write is acknowledged, whatever it meets; nor does the next one notice. */
  async #callOfZombie({ db }: Simulation): Promise<void> {
    const kind = this.#random.below(8)
    if (kind < 4) {
      const durability = this.#random.once(2) ? ('synced' as const) : ('written' as const)
      await db.put(Buffer.from(this.#key()), Buffer.from(this.#value()), { durability })
      assert.fail('a write of a zombie was acknowledged')
    } else if (kind < 6) await (kind === 4 ? db.compactRange() : db.sync())
    else await db.flush()
  }

  async #write({ db }: Simulation, process: SimulatedProcess): Promise<void> {
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
      assert.equal(process, this.#owner, 'a write was acknowledged behind a take-over')
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

  async #read({ db }: Simulation, process: SimulatedProcess): Promise<void> {
    const key = this.#key()
    const { floor } = this.#history
    const calls = this.#recorded.begin({ type: 'get', key })
    const found = await db.get(Buffer.from(key))
    if (process !== this.#owner) return
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
      if (process !== this.#owner) return
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
    this.#zombie?.kill()
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
    if (how === 'takeOver' && this.#random.once(2)) this.#zombie = process
    else process.kill()
    this.#owner = this.#process
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
      for (let left = 5; left > 0; left--) await this.#write(this.#simulation, this.#process)
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
