/**
 * One seed of a whole cluster: hosts that take a shard over from each other, a journal service, a file service, a broker of
 * jobs and workers, each on a machine of its own, over a simulated network. Machines die and sleep, disks and network fail,
 * parts of the cluster do not reach each other. Then all of that ends, and everything must work.
 *
 *      host 1, 2, 3  ──►  journal     its disk
 *                    ──►  files       its disk: files and heads
 *                    ──►  broker  ◄── worker 1, 2 ──► files
 *
 * Hosts that were replaced live on, awake or asleep, and their clients ask them on: a host that has slept through anything
 * must not acknowledge, and must not answer a fresh read, that the history of all clients together cannot explain.
 */

import assert from 'node:assert/strict'
import type { KvOpenOptions } from '../../src/engines/kv/kv.ts'
import { KV_POLICIES } from '../../src/engines/kv/settings.ts'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { EventTrace } from '../../src/testing/event-trace.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedNetwork } from '../../src/testing/simulated-network.ts'
import { SimulatedScheduler } from '../../src/testing/simulated-scheduler.ts'
import { KEYS, keyOf } from '../seeds/content.ts'
import { RecordedCalls } from '../seeds/recorded-calls.ts'
import { SEED_LENGTH } from '../seeds/seed-run.ts'
import type { SeedLength, SeedReport } from '../seeds/seed-run.ts'
import { TINY_SETTINGS } from '../simulation.ts'
import { HostClients } from './host-clients.ts'
import type { ClientTally } from './host-clients.ts'
import { makeCluster } from './cluster.ts'
import type { Machine, World } from './machine.ts'
import { Nemesis } from './nemesis.ts'
import { ShardHost } from './shard-host.ts'

// Longer than any timeout in the system, several times: what has not settled then never will.
const SETTLES_WITHIN_MS = 10 * 60_000
const OPENINGS_MAX = 30
const CLIENTS = 3

interface Owner {
  readonly machine: Machine
  readonly host: ShardHost
  readonly clients: HostClients
}

/** @throws what is wrong, with the seed */
export async function runNetworkSeed(seed: number, length: SeedLength = SEED_LENGTH): Promise<SeedReport> {
  try {
    return await new NetworkSeed(seed, length).all()
  } catch (cause) {
    throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

class NetworkSeed {
  readonly #world: World
  readonly #length: SeedLength
  readonly #settings: NonNullable<KvOpenOptions['settings']>
  readonly #recorded = new RecordedCalls()
  readonly #tally: ClientTally = { writes: 0, rejected: 0, fenced: 0 }
  /** Whether the journal's machine may lose its power, and with that what was only written. */
  readonly #losesPower: boolean
  readonly #disks: readonly Machine[]
  readonly #hosts: readonly Machine[]
  readonly #nemesis: Nemesis
  /** Clients of hosts, by the process of theirs. */
  readonly #asking: { readonly owner: Owner; readonly done: Promise<void> }[] = []
  readonly #owners: Owner[] = []
  #takeovers = 0
  #failure: { readonly error: unknown } | undefined

  constructor(seed: number, length: SeedLength) {
    this.#length = length
    const random = new SeededRandom(seed)
    const trace = new EventTrace()
    const scheduler = new SimulatedScheduler({
      random,
      slackMs: [0, 0.5, 20][random.below(3)] as number,
      trace: (label, atMs) => trace.event(label, atMs),
    })
    const slowMs = [1, 5, 40][random.below(3)] as number
    const network = new SimulatedNetwork({
      scheduler,
      random,
      latencyMs: () => 0.05 + (random.below(1000) / 1000) * (random.once(20) ? slowMs : 0.5),
      trace: (from, to, bytes) => trace.message(from, to, bytes),
    })
    const failed = (error: unknown): void => void (this.#failure ??= { error })
    const world = { seed, random, trace, scheduler, network, failed }
    this.#world = world
    this.#losesPower = random.once(2)
    this.#settings = {
      ...TINY_SETTINGS,
      memtableBytes: [1024, 2048][random.below(2)] as number,
      cacheBytes: random.once(2) ? 0 : 4096,
      policy: KV_POLICIES.filter((policy) => policy !== 'fifo')[random.below(3)] ?? 'leveled',
    }
    const { journal, files, broker, workers, hosts } = makeCluster(world)
    this.#disks = [journal, files]
    this.#hosts = hosts
    this.#nemesis = new Nemesis(world, {
      services: [journal, files, broker, ...workers],
      hosts: this.#hosts,
      disks: this.#disks,
      mayLosePower: (machine) => machine === files || (machine === journal && this.#losesPower),
    })
  }

  async all(): Promise<SeedReport> {
    const { random, scheduler, trace, network } = this.#world
    await this.#takeOver(this.#hosts[0] as Machine)
    for (let round = 0; round < this.#length.rounds; round++) {
      this.#nemesis.begin()
      this.#ask(this.#owners.at(-1) as Owner)
      await scheduler.pass(random.below(random.once(2) ? 50 : 500))
      this.#check()
      await this.#replace()
      // Those who were replaced do not know, or do: they are asked on.
      for (const owner of this.#owners.slice(0, -1)) if (owner.host.process.alive && random.once(2)) this.#ask(owner)
      this.#check()
    }
    await this.#liveness()
    const faults: Record<string, number> = { ...this.#nemesis.counts, ...network.counts }
    for (const machine of this.#disks) {
      for (const [name, count] of Object.entries(machine.faults.counts)) faults[name] = (faults[name] ?? 0) + count
    }
    const { writes, rejected, fenced } = this.#tally
    return {
      events: trace.count,
      hash: trace.digest(),
      writes,
      rejected,
      crashes: this.#takeovers,
      checked: this.#recorded.checked,
      faults: { ...faults, fenced },
    }
  }

  /** The owner dies, sleeps, is parted from the rest or is as well as ever, and another host takes over. */
  async #replace(): Promise<void> {
    const { random } = this.#world
    const { machine } = this.#owners.at(-1) as Owner
    switch (random.below(4)) {
      case 0:
        machine.end('kill')
        machine.boot()
        break
      case 1:
        this.#nemesis.stop(machine, 1 + random.below(random.once(2) ? 500 : 60_000))
        break
      case 2:
        for (const disk of this.#disks) if (random.once(2)) this.#nemesis.part(machine, disk, random.once(2) ? 1 : 2)
        break
      default:
    }
    const others = this.#hosts.filter((host) => host !== machine)
    await this.#takeOver(others[random.below(others.length)] as Machine)
  }

  async #takeOver(machine: Machine): Promise<void> {
    const { random, scheduler, seed } = this.#world
    for (let attempt = 1; ; attempt++) {
      // It may be an owner of old that never noticed.
      if (machine.alive && (attempt > 1 || random.once(2))) machine.end('kill')
      machine.boot()
      const { life } = machine
      try {
        const chance = new SeededRandom(seed * 1000 + 500 + life.process.id)
        const host = await this.#run(ShardHost.open(life, chance, this.#settings), `opening ${machine.name}`)
        this.#takeovers++
        const basis = {
          random,
          recorded: this.#recorded,
          tally: this.#tally,
          cautious: this.#losesPower,
        }
        this.#owners.push({ machine, host, clients: new HostClients(host, basis) })
        return
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        assert.ok(error.kind !== 'bug' && error.kind !== 'corrupt', `opening: ${error.code}: ${error.message}`)
        assert.ok(attempt < OPENINGS_MAX, `the shard never opens: ${error.code}: ${error.message}`)
        if (attempt >= 2) this.#nemesis.end()
        await scheduler.pass(random.below(2000))
      }
    }
  }

  #ask(owner: Owner): void {
    for (let client = 0; client < CLIENTS; client++) {
      const done = owner.clients.run(this.#length.calls).catch((error: unknown) => void (this.#failure ??= { error }))
      this.#asking.push({ owner, done })
    }
  }

  /** Nothing fails any more: whoever was asked answers, everything works, and who was replaced is refused. */
  async #liveness(): Promise<void> {
    const { scheduler } = this.#world
    this.#nemesis.end()
    await scheduler.pass(60_000)
    const waiting = this.#asking.filter(({ owner }) => owner.host.process.alive)
    const who = (): string => waiting.flatMap(({ owner }) => [...owner.clients.waiting]).join(', ')
    await this.#run(Promise.all(waiting.map(({ done }) => done)), who)
    this.#check()
    await this.#takeOver(this.#hosts[0] as Machine)
    const { host, clients } = this.#owners.at(-1) as Owner
    const work = async (): Promise<void> => {
      for (let left = 5; left > 0; left--) await clients.write()
      await host.db.flush()
      await host.db.settle()
      for await (const { damage } of host.db.verify()) assert.equal(damage, undefined)
      for (let number = 0; number < KEYS; number++) await clients.read(keyOf(number))
    }
    await this.#run(work(), 'the last owner')
    for (const former of this.#owners.slice(0, -1)) if (former.host.process.alive) await this.#refused(former)
    for (let number = 0; number < KEYS; number++) await this.#run(clients.read(keyOf(number)), 'a read')
    this.#check()
    await this.#run(host.db.close(), 'closing')
    if (this.#losesPower) this.#recorded.forgetUnacknowledged()
    this.#recorded.check()
  }

  /** However long it has slept. */
  async #refused({ host, clients }: Owner): Promise<void> {
    const attempt = async (): Promise<void> => {
      try {
        await clients.write()
      } catch (error) {
        assert.ok(isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'POISONED', 'CLOSED'), String(error))
        return
      }
      assert.fail(`host ${host.process.id} was replaced, and is acknowledged`)
    }
    await this.#run(attempt(), 'a write of a former owner')
  }

  /** @throws {Error} where `work` does not settle */
  async #run<T>(work: Promise<T>, what: string | (() => string)): Promise<T> {
    const { scheduler } = this.#world
    const watch = scheduler.process()
    const late = watch.sleep(SETTLES_WITHIN_MS, 'watch').then((): T => {
      throw new Error(`never settles: ${typeof what === 'string' ? what : what()}`)
    })
    const settle = (): void => watch.kill()
    work.then(settle, settle)
    return scheduler.run(Promise.race([work, late]))
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
