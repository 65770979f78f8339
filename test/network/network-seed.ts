/**
 * One seed of a whole cluster: hosts that take a shard over from each other, a journal service, a file service, a broker of
 * jobs and workers, each on a machine of its own, over a simulated network. Machines die and sleep, disks and network fail,
 * parts of the cluster do not reach each other. Then all of that ends, and everything must work.
 *
 *      host 1, 2, 3  ──►  journal     its disk
 *                    ──►  files       its disk: files and heads
 *                    ──►  broker  ◄── worker 1, 2 ──► files
 *
 * In every fifth seed the journal is one log for all shards, and there are two of them, each with three hosts.
 */

import type { KvOpenOptions } from '../../src/engines/kv/kv.ts'
import { KV_POLICIES } from '../../src/engines/kv/settings.ts'
import { EventTrace } from '../../src/testing/event-trace.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedNetwork } from '../../src/testing/simulated-network.ts'
import { SimulatedScheduler } from '../../src/testing/simulated-scheduler.ts'
import { SEED_LENGTH } from '../seeds/seed-length.ts'
import type { SeedLength, SeedReport } from '../seeds/seed-length.ts'
import { TINY_SETTINGS } from '../simulation.ts'
import { makeCluster } from './cluster.ts'
import type { Machine, World } from './machine.ts'
import { Nemesis } from './nemesis.ts'
import { ShardStory } from './shard-story.ts'

/** @throws what is wrong, with the seed */
export async function runNetworkSeed(seed: number, length: SeedLength = SEED_LENGTH): Promise<SeedReport> {
  try {
    return await new NetworkSeed(seed, length).all()
  } catch (cause) {
    throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Shards that share a log are two in every fifth seed; the others have one, with a log of its own. */
function shardsOf(seed: number): readonly string[] {
  return seed % 5 === 1 ? ['main', 'other'] : ['main']
}

class NetworkSeed {
  readonly #world: World
  readonly #length: SeedLength
  readonly #disks: readonly Machine[]
  readonly #nemesis: Nemesis
  readonly #stories: readonly ShardStory[]
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
    const losesPower = random.once(2)
    const settings: NonNullable<KvOpenOptions['settings']> = {
      ...TINY_SETTINGS,
      memtableBytes: [1024, 2048][random.below(2)] as number,
      cacheBytes: [0, 4096, 4 << 20][random.below(3)] as number,
      policy: KV_POLICIES.filter((policy) => policy !== 'fifo')[random.below(3)] ?? 'leveled',
    }
    const shards = shardsOf(seed)
    const { journal, files, broker, workers, hosts } = makeCluster(world, shards.length)
    this.#disks = [journal, files]
    this.#nemesis = new Nemesis(world, {
      services: [journal, files, broker, ...workers],
      hosts: hosts.flat(),
      disks: this.#disks,
      mayLosePower: (machine) => machine === files || (machine === journal && losesPower),
    })
    const { calls } = length
    const shared = { world, settings, losesPower, disks: this.#disks, nemesis: this.#nemesis, calls }
    this.#stories = shards.map((shard, index) => new ShardStory({ ...shared, shard, hosts: hosts[index] ?? [] }))
  }

  async all(): Promise<SeedReport> {
    const { random, scheduler } = this.#world
    for (const story of this.#stories) await story.begin()
    for (let round = 0; round < this.#length.rounds; round++) {
      this.#nemesis.begin()
      for (const story of this.#stories) story.askOwner()
      await scheduler.pass(random.below(random.once(2) ? 50 : 500))
      this.#check()
      for (const story of this.#stories) await story.replace()
      for (const story of this.#stories) story.askFormer()
      this.#check()
    }
    this.#nemesis.end()
    await scheduler.pass(60_000)
    for (const story of this.#stories) await story.answered()
    this.#check()
    for (const story of this.#stories) {
      await story.works()
      this.#check()
    }
    return this.#report()
  }

  #report(): SeedReport {
    const { trace, network } = this.#world
    const sum = (of: (story: ShardStory) => number): number =>
      this.#stories.reduce((total, story) => total + of(story), 0)
    const faults: Record<string, number> = { ...this.#nemesis.counts, ...network.counts }
    for (const machine of this.#disks) {
      for (const [name, count] of Object.entries(machine.faults.counts)) faults[name] = (faults[name] ?? 0) + count
    }
    return {
      events: trace.count,
      hash: trace.digest(),
      writes: sum(({ tally }) => tally.writes),
      rejected: sum(({ tally }) => tally.rejected),
      crashes: sum(({ takeovers }) => takeovers),
      checked: sum(({ recorded }) => recorded.checked),
      faults: { ...faults, fenced: sum(({ tally }) => tally.fenced), shards: this.#stories.length },
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
