/** What one test of an engine works with: a simulated disk, shards of the engine on it, and what each must hold. */

import assert from 'node:assert/strict'
import { isCode } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import type { FileStore } from '../fs/fs.ts'
import { LocalFileStore } from '../fs/local-file-store.ts'
import { LocalHeadStore } from '../fs/local-head-store.ts'
import { HandlerTable } from '../jobs/handler-table.ts'
import type { HandlerModule } from '../jobs/handler-table.ts'
import { InlineScheduler } from '../jobs/inline-scheduler.ts'
import type { JobScheduler } from '../jobs/jobs.ts'
import type { Durability, JournalSystem } from '../journal/journal.ts'
import { LocalJournalSystem } from '../journal/local-journal-system.ts'
import type { Shard, ShardComponents, ShardPlace } from '../shard/shard.ts'
import type { ConformanceSuite } from './conformance-suite.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDevice } from './simulated-device.ts'
import type { SimulatedDeviceOptions } from './simulated-device.ts'
import { WatchedScheduler } from './watched-scheduler.ts'
import type { FailedJob } from './watched-scheduler.ts'

/** An open shard of the engine under test. */
export interface EngineUnderTest {
  /** The engine's own handle on it, as far as the suite uses it. */
  readonly shard: Pick<Shard<never, never, unknown>, 'flush' | 'settle' | 'sync' | 'checkpoint' | 'clone'> & {
    statistics(): { readonly flushes: number; readonly compactions: number }
    close(): Promise<void>
  }
  /** Writes operation `number`, one of 0, 1, 2, …: always the same for the same number. */
  write(number: number, durability: Durability): Promise<void>
  /** Everything a reader can see, as text. */
  content(): Promise<string>
  /** This moment, to read from later. */
  snapshot(): Promise<EngineSnapshot>
}

/** A moment of the engine under test. */
export interface EngineSnapshot {
  /** Everything that a reader at this moment can see, as text. */
  content(): Promise<string>
  /** Lets go of it. Idempotent. */
  close(): void
}

/** What a suite may compose otherwise. The bench closes `jobs`, `localJobs` and `files`, in this order. */
export interface EngineParts extends ShardPlace {
  /** Given to the shard as `ShardComponents` has it. */
  readonly journal: JournalSystem
  /** Given to the shard as `ShardComponents` has it. */
  readonly jobs: JobScheduler
  /** Given to the shard as `ShardComponents` has it. */
  readonly localJobs?: JobScheduler
}

/** An engine, as its conformance suite is given it. */
export interface EngineSuite extends ConformanceSuite {
  /** Handlers of the engine's jobs, by the module that its plans name. */
  readonly handlers: Readonly<Record<string, HandlerModule>>
  /**
   * Opens a shard of the engine, with settings so small that `OPERATIONS` operations make several flushes and at least
   * one compaction. The components stay the suite's.
   */
  open(components: ShardComponents): Promise<EngineUnderTest>
  /**
   * What `content()` is when these operations have been applied in this order: worked out without the engine. Differs
   * with every further operation.
   */
  expected(numbers: readonly number[]): string
  /** Of the disk beneath every shard. Default: one with synchronous calls. */
  readonly device?: SimulatedDeviceOptions
  /**
   * Puts other parts in the place of these, such as encrypted or poorer ones; asked at every opening. Default: a local
   * file store, a local head store and a local journal on the disk, an inline scheduler.
   *
   * @param inline makes an inline scheduler with the engine's handlers over `files`
   */
  compose?(parts: EngineParts, inline: (files: FileStore) => JobScheduler): EngineParts
}

/** How many operations a test writes that wants to reach every part. */
export const OPERATIONS = 240

// Whatever goes on has a job end, or a shard opened, far more often.
const QUIET_TURNS_MAX = 100_000

/** One open shard, with what has been written to it. */
export class EngineSession {
  readonly engine: EngineUnderTest
  readonly components: ShardComponents
  /** Numbers of the operations applied, in order. */
  readonly written: number[]
  readonly #suite: EngineSuite

  constructor(suite: EngineSuite, engine: EngineUnderTest, components: ShardComponents, written: readonly number[]) {
    this.#suite = suite
    this.engine = engine
    this.components = components
    this.written = [...written]
  }

  async write(first: number, limit: number, durability: Durability = 'written'): Promise<void> {
    for (let number = first; number < limit; number++) {
      await this.#write(number, durability)
      this.written.push(number)
    }
  }

  /** Again, where what writes wait for fails: for a while on purpose, and where it is for good, the bench says so. */
  async #write(number: number, durability: Durability): Promise<void> {
    for (;;) {
      try {
        return await this.engine.write(number, durability)
      } catch (error) {
        if (!isCode(error, 'BUSY')) throw error
        await this.components.clock.turn()
      }
    }
  }

  async check(promise: string): Promise<void> {
    assert.equal(await this.engine.content(), this.#suite.expected(this.written), promise)
  }

  async close(): Promise<void> {
    const { files, jobs, localJobs } = this.components
    await this.engine.shard.close()
    await jobs.close()
    await localJobs?.close()
    await files.close()
  }
}

export interface BenchOpenOptions {
  /** Default `main`. */
  readonly shard?: string
  /** Default: on the bench's disk. */
  readonly place?: ShardPlace
  /** Changes the job schedulers. */
  readonly wrap?: (jobs: JobScheduler) => JobScheduler
}

export class EngineBench {
  readonly clock = new SimulatedClock()
  readonly random: SeededRandom
  readonly hash: Hash
  readonly #suite: EngineSuite
  readonly #sessions: EngineSession[] = []
  /** Since the last one that succeeded. */
  #failed: FailedJob | undefined
  /** Turns in which nothing happened that a bench sees. */
  #quietTurns = 0
  device: SimulatedDevice

  constructor(suite: EngineSuite, hash: Hash, seed: number) {
    this.#suite = suite
    this.device = new SimulatedDevice(suite.device)
    this.hash = hash
    this.random = new SeededRandom(seed)
  }

  /**
   * Opens a shard on `device`, taking it over from whoever has it open.
   *
   * @param written what the shard must hold
   */
  async open(written: readonly number[] = [], options: BenchOpenOptions = {}): Promise<EngineSession> {
    const { clock, random, hash } = this
    const device = options.place === undefined ? this.device : new SimulatedDevice(this.#suite.device)
    const { files, heads } = options.place ?? {
      files: await LocalFileStore.open({ device, directory: 'files', hash }),
      heads: await LocalHeadStore.open({ device, directory: 'heads', hash, random }),
    }
    const parts = this.#compose({ files, heads, journal: this.#journal(device) })
    const { wrap = (jobs: JobScheduler): JobScheduler => jobs } = options
    const { jobs, localJobs } = parts
    const watched = (scheduler: JobScheduler): JobScheduler => wrap(new WatchedScheduler(scheduler, this.#jobEnded))
    const schedulers = { jobs: watched(jobs), ...(localJobs === undefined ? {} : { localJobs: watched(localJobs) }) }
    this.#quietTurns = 0
    const components = { ...parts, ...schedulers, shard: shardId(options.shard ?? 'main'), clock, random, hash }
    const session = new EngineSession(this.#suite, await this.#suite.open(components), components, written)
    this.#sessions.push(session)
    return session
  }

  /** `place` as shards of the suite see it. */
  placed(place: ShardPlace): ShardPlace {
    return this.#compose({ ...place, journal: this.#journal(new SimulatedDevice()) })
  }

  #journal(device: SimulatedDevice): JournalSystem {
    const settings = { segmentBytes: 8192, preallocateBytes: 1024 }
    const { clock, hash, random } = this
    return new LocalJournalSystem({ device, directory: 'journal', hash, random, clock, settings })
  }

  #compose(place: ShardPlace & { readonly journal: JournalSystem }): EngineParts {
    const { clock, hash } = this
    const handlers = new HandlerTable(this.#suite.handlers)
    const inline = (files: FileStore): JobScheduler => new InlineScheduler({ files, hash, clock, handlers })
    const parts = { ...place, jobs: inline(place.files) }
    return this.#suite.compose?.(parts, inline) ?? parts
  }

  /** What `work` resolves to; the clock runs on meanwhile, so that what waits to be tried again is. */
  async within<Result>(work: Promise<Result>): Promise<Result> {
    let settled = false
    const settle = (): void => void (settled = true)
    work.then(settle, settle)
    for (let turn = 0; !settled; turn++) {
      if (turn >= 10_000) this.#throwFailed()
      assert.ok(turn < 10_000, 'nothing happened for a long time')
      await this.clock.turn()
      this.clock.advance(1_000)
    }
    return work
  }

  /**
   * What `work` resolves to. Where it waits for a job that fails for good, with a clock that stands still, rejects with
   * what that job said: nothing else would ever happen.
   */
  async watch<Result>(work: Promise<Result>): Promise<Result> {
    let settled = false
    const settle = (): void => void (settled = true)
    work.then(settle, settle)
    for (this.#quietTurns = 0; !settled; this.#quietTurns++) {
      if (this.#quietTurns > QUIET_TURNS_MAX) this.#throwFailed()
      await this.clock.turn()
    }
    return work
  }

  #jobEnded = (failed: FailedJob | undefined): void => {
    this.#failed = failed
    this.#quietTurns = 0
  }

  #throwFailed(): void {
    if (this.#failed === undefined) return
    const { spec, error } = this.#failed
    const { module, export: name } = spec.handler
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`the shard waits for job ${spec.id} (${name} of ${module}), which fails: ${reason}`, {
      cause: error,
    })
  }

  /** Closes what is still open on a disk that is alive. */
  async close(): Promise<void> {
    for (const session of this.#sessions.splice(0)) await session.close().catch(() => undefined)
  }

  /** The processes that had shards open are gone; the disk goes on as `device`. */
  continueOn(device: SimulatedDevice): void {
    this.#sessions.length = 0
    this.device = device
  }
}
