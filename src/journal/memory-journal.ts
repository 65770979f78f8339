/**
 * A journal in memory: for tests, for shards that need not outlive their process, and as the least a journal can be.
 *
 * Batches live in a storage object that outlives open and close, so that a journal can be opened again. A power cut is
 * `cutPower()`: it keeps what was synced.
 */

import type { Epoch, ShardId } from '../kernel/ids.ts'
import { MIB } from '../kernel/limits.ts'
import { fenced } from './fence.ts'
import type {
  Durability,
  Journal,
  JournalReader,
  JournalStateKeeper,
  JournalSupport,
  JournalSystem,
} from './journal.ts'
import { MemoryJournal, MemoryJournalReader } from './memory-writer.ts'

/** What one shard's journal holds. */
export interface MemoryLog {
  /** Highest epoch it was opened with. */
  epoch: number
  /** Counts openings: the last one is the owner. */
  owner: number
  /** In order of position. */
  batches: MemoryBatch[]
  /** Position of the first byte that was not truncated. */
  start: number
  /** Position just past the last batch. */
  end: number
  /** Up to here a power cut loses nothing. */
  syncedEnd: number
}

/** One append. */
export interface MemoryBatch {
  /** Of its first byte, in bytes from the start of the journal. */
  readonly position: number
  /** A copy of what was appended. */
  readonly payload: Uint8Array
}

/** The logs of any number of shards: outlives the systems over it. */
export class MemoryJournalStorage {
  readonly #logs = new Map<ShardId, MemoryLog>()

  /** The shard's log, made when it is first asked for. */
  log(shard: ShardId): MemoryLog {
    let log = this.#logs.get(shard)
    if (log === undefined) {
      log = { epoch: 0, owner: 0, batches: [], start: 0, end: 0, syncedEnd: 0 }
      this.#logs.set(shard, log)
    }
    return log
  }

  /** Loses everything that is not synced, and every open journal with it. */
  cutPower(): void {
    for (const log of this.#logs.values()) {
      log.owner++
      log.batches = log.batches.filter(({ position }) => position < log.syncedEnd)
      log.end = log.syncedEnd
    }
  }
}

/** What is offered, and where batches are kept. */
export interface MemoryJournalOptions {
  /** Default: a new one. */
  readonly storage?: MemoryJournalStorage
  /** Rungs to offer. Default both. */
  readonly durability?: readonly Durability[]
  /** Whether `read` is offered. Default true. */
  readonly read?: boolean
  /** Bytes appended in one turn above which callers should wait. Default 16 MiB. */
  readonly pendingBytesMax?: number
}

/** Journals in the memory of this process. Nothing of it has to be closed but the journals. */
export class MemoryJournalSystem implements JournalSystem {
  readonly name = 'memory'
  readonly version = 1
  readonly supports: JournalSupport
  /** Where the batches are: to be given to the next system. */
  readonly storage: MemoryJournalStorage
  readonly #pendingBytesMax: number

  /** @throws {RangeError} pendingBytesMax below 1 */
  constructor(options: MemoryJournalOptions = {}) {
    this.storage = options.storage ?? new MemoryJournalStorage()
    this.supports = Object.freeze({
      durability: Object.freeze([...(options.durability ?? (['written', 'synced'] as const))]),
      read: options.read ?? true,
    })
    this.#pendingBytesMax = options.pendingBytesMax ?? 16 * MIB
    if (!(this.#pendingBytesMax >= 1))
      throw new RangeError(`pendingBytesMax must be at least 1, got ${this.#pendingBytesMax}`)
  }

  async open(shard: ShardId, epoch: Epoch, state: JournalStateKeeper): Promise<Journal> {
    const log = this.storage.log(shard)
    if (log.epoch > epoch) throw fenced(log.epoch)
    log.epoch = epoch
    log.owner++
    const journal = new MemoryJournal(log, epoch, this.supports, this.#pendingBytesMax)
    // There is nothing to remember, but a head that has gone to another owner says so here.
    await state.commit(new Uint8Array())
    return journal
  }

  async openReadOnly(shard: ShardId): Promise<JournalReader> {
    const log = this.storage.log(shard)
    return new MemoryJournalReader(log, log.end)
  }
}
