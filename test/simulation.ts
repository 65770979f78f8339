/** A key-value shard on a simulated disk, that can be closed, killed and cut from power. */

import { loadHash } from '../src/kernel/hash.ts'
import type { Clock } from '../src/kernel/clock.ts'
import { KIB } from '../src/kernel/limits.ts'
import { shardId } from '../src/kernel/ids.ts'
import { LocalFileStore } from '../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../src/fs/local-head-store.ts'
import { LocalReserve, RESERVE_NAME } from '../src/fs/local-reserve.ts'
import { ArenaPool } from '../src/memtable/arena.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../src/journal/local-journal-system.ts'
import type { LocalJournalSettings } from '../src/journal/settings.ts'
import type { KvOpenOptions } from '../src/engines/kv/kv.ts'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { SimulatedClock } from '../src/testing/simulated-clock.ts'
import { SimulatedDevice } from '../src/testing/simulated-device.ts'
import type { ShardPlace } from '../src/shard/shard.ts'
import type { CrashPolicy, SimulatedDeviceOptions } from '../src/testing/simulated-device.ts'
import type { DeviceOperation } from '../src/testing/device-operation.ts'

/** So small that a few writes reach every part: memtables, levels, cache evictions. */
export const TINY_SETTINGS = Object.freeze({
  memtableBytes: 2048,
  blockBytes: 128,
  tableBytes: 1024,
  jobBytes: 1024,
  cacheBytes: 4096,
  openFilesMax: 8,
  level0Files: 2,
  level0FilesStop: 6,
  levelBytesBase: 4096,
  levelSizeRatio: 2,
  tierRuns: 2,
} as const)

const CRASH_POLICIES: readonly CrashPolicy[] = [
  { data: 'none', names: 'none' },
  { data: 'all', names: 'none' },
  { data: 'none', names: 'all' },
  { data: 'some', names: 'some' },
  { data: 'some', names: 'all' },
]

const hash = await loadHash()

export type SimulationSettings = NonNullable<KvOpenOptions['settings']>

/** Puts other parts in the place of those on the simulated disk. */
export interface Composer {
  /** Of every opening. `close` and what it closes are kept. */
  compose(parts: KvComponents): KvComponents | Promise<KvComponents>
  /** What is not on the simulated disk loses its power, too. */
  powerCut?(): void
}

export class Simulation {
  /** Asked from the next opening on. */
  composer?: Composer
  readonly random: SeededRandom
  /** What the next opening takes. */
  settings: SimulationSettings
  readonly deviceOptions: SimulatedDeviceOptions
  /** Set aside for a full disk, at most. */
  reserveBytes = 0
  readonly clock: SimulatedClock
  /** What the shard goes by, if not `clock`. */
  readonly #clockOfShard: Clock
  readonly #shard: string
  /** Where files and heads are, if not on the device. */
  readonly #place: ShardPlace | undefined
  /** What the next opening takes for its journal. */
  journalSettings: Partial<LocalJournalSettings> = { segmentBytes: 8192, preallocateBytes: 1024 }
  device: SimulatedDevice
  /** Opening removes what a crash left unfinished: nobody else may have the directory open. */
  cleansUp = true
  /** Sees every operation of the device before it happens, and may throw. */
  beforeOperation?: (operation: DeviceOperation) => void
  #db: KvShard | undefined

  constructor(
    seed: number,
    settings: SimulationSettings,
    deviceOptions: SimulatedDeviceOptions = {},
    shard = 'main',
    place?: ShardPlace,
    clock?: Clock,
  ) {
    this.clock = new SimulatedClock()
    this.#clockOfShard = clock ?? this.clock
    this.random = new SeededRandom(seed)
    this.settings = settings
    this.deviceOptions = { before: (operation) => this.beforeOperation?.(operation), ...deviceOptions }
    this.#shard = shard
    this.#place = place
    this.device = new SimulatedDevice(this.deviceOptions)
  }

  static async start(
    seed: number,
    settings: SimulationSettings,
    deviceOptions?: SimulatedDeviceOptions,
    clock?: Clock,
  ): Promise<Simulation> {
    const simulation = new Simulation(seed, settings, deviceOptions, undefined, undefined, clock)
    await simulation.open()
    return simulation
  }

  /** Another shard on the same device. */
  async sibling(shard: string): Promise<Simulation> {
    const sibling = new Simulation(this.random.u32(), this.settings, this.deviceOptions, shard)
    sibling.device = this.device
    await sibling.open()
    return sibling
  }

  /** The shard of the same name whose files and heads are in `place`; its journal is on a device of its own. */
  async elsewhere(place: ShardPlace): Promise<Simulation> {
    const copy = new Simulation(this.random.u32(), this.settings, {}, this.#shard, place)
    await copy.open()
    return copy
  }

  get db(): KvShard {
    if (this.#db === undefined) throw new Error('the shard is not open')
    return this.#db
  }

  async open(options: Omit<KvOpenOptions, 'settings'> = {}): Promise<void> {
    const { device, random, settings } = this
    const clock = this.#clockOfShard
    const { files, heads } = this.#place ?? (await this.#localPlace())
    const journal = new LocalJournalSystem({
      device,
      directory: 'journal',
      hash,
      random,
      clock,
      settings: this.journalSettings,
    })
    const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
    const bytesMax = this.reserveBytes
    const reserve = bytesMax === 0 ? {} : { reserve: await LocalReserve.open({ device, path: RESERVE_NAME, bytesMax }) }
    const close = async (): Promise<void> => {
      await jobs.close()
      if (this.#place === undefined) await files.close()
    }
    // Small chunks: what is made anew at every opening should cost little.
    const arenas = new ArenaPool({ chunkBytes: 4 * KIB })
    const components = {
      shard: shardId(this.#shard),
      files,
      heads,
      journal,
      jobs,
      clock,
      random,
      hash,
      arenas,
      close,
      ...reserve,
    }
    this.#db = await openKv((await this.composer?.compose(components)) ?? components, { ...options, settings })
  }

  async #localPlace(): Promise<ShardPlace> {
    const { device, random } = this
    const files = await LocalFileStore.open({ device, directory: 'files', hash })
    const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
    // What is unfinished may be a sibling's: only the first shard of a device cleans up.
    if (this.#shard === 'main' && this.cleansUp) {
      await files.removeLeftovers()
      await heads.removeLeftovers()
    }
    return { files, heads }
  }

  async reopen(): Promise<void> {
    await this.db.close()
    await this.open()
  }

  /** The process dies; what it had written is in the system's hands. */
  async kill(): Promise<void> {
    this.device = this.device.kill(this.deviceOptions)
    await this.open()
  }

  /** The machine dies: what was not synced is lost, torn or there, as chance has it. */
  async powerCut(): Promise<void> {
    const policy = CRASH_POLICIES[this.random.below(CRASH_POLICIES.length)] as CrashPolicy
    this.device = this.device.crash(policy, this.random.u32(), this.deviceOptions)
    this.composer?.powerCut?.()
    await this.open()
  }

  async stop(): Promise<void> {
    await this.#db?.close()
  }
}
