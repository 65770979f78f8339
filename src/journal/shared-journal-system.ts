/**
 * Journals of many shards in one log: what all of them append in a turn is one write, and who waits for a sync waits for
 * the same one. It is what a journal service offers, whose disk would otherwise sync for every shard.
 *
 *      shard a ──┐
 *      shard b ──┼──► records ──► one journal below: frames, segments, syncs, checksums
 *      shard c ──┘
 *
 * One process has the log below, so a fence is a record, synced before the new owner serves. A shard's positions are its
 * own. Segments go when no shard needs anything in them; what a quiet shard keeps there is copied to the end, so that it
 * does not hold the others' space. Before segments go, every shard's epoch and end are written again.
 */

import { assert } from '../kernel/assert.ts'
import { VarveError } from '../kernel/errors.ts'
import { POSITION_ZERO } from '../kernel/ids.ts'
import type { Epoch, JournalPosition, ShardId } from '../kernel/ids.ts'
import { fenced } from './fence.ts'
import type {
  Append,
  Durability,
  Journal,
  JournalReader,
  JournalStateKeeper,
  JournalSupport,
  JournalSystem,
} from './journal.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import { SharedJournal } from './shared-journal.ts'
import type { SharedHost } from './shared-journal.ts'
import { SharedLog } from './shared-log.ts'
import { encodeRecord } from './shared-record.ts'
import { SharedRecovery } from './shared-recovery.ts'
import { replayShared } from './shared-replay.ts'
import { resolveSharedJournalSettings } from './shared-settings.ts'
import type { SharedJournalSettings } from './shared-settings.ts'
import { SharedSpace } from './shared-space.ts'

/** Journals of many shards over one. Owns the log below: `close` closes it, and only after the journals over it. */
export class SharedJournalSystem implements JournalSystem {
  readonly name = 'shared'
  readonly version = 1
  readonly supports: JournalSupport = Object.freeze({
    durability: Object.freeze(['written', 'synced'] as const),
    read: true,
  })
  readonly #physical: Journal
  readonly #space: SharedSpace
  readonly #logs: Map<ShardId, SharedLog>
  readonly #host: SharedHost
  /** Where the log below ended after the last append: where it ends before that now, appends were taken back. */
  #end: number
  #reclaiming: Promise<void> | undefined
  readonly #reads = new Set<Promise<unknown>>()
  /** Segments go: who reads waits, and does not reject. */
  #dropping: Promise<unknown> | undefined
  #failure: VarveError | undefined

  private constructor(
    physical: Journal,
    settings: SharedJournalSettings,
    crowded: () => boolean,
    logs: ReadonlyMap<ShardId, SharedLog>,
  ) {
    this.#physical = physical
    this.#logs = new Map(logs)
    this.#end = physical.end
    this.#space = new SharedSpace(settings, {
      physical,
      logs: this.#logs,
      crowded,
      append: (record) => this.#appendRecord(record, 'written'),
      drop: (before) => this.#drop(before),
    })
    this.#host = {
      physical,
      append: (log, payload, durability) => this.#append(log, payload, durability),
      settle: () => this.#settle(),
      truncated: () => this.#reclaim(),
      read: (work) => this.#read(work),
      failure: () => this.#failure,
    }
  }

  /**
   * @param physical the log below, just opened; this system's own from now on
   * @param crowded whether space is so scarce that up to two thirds of the log are copied to give the rest back. Default: it never is
   * @throws {VarveError} JOURNAL_CORRUPT
   */
  static async open(
    physical: Journal,
    settings: Partial<SharedJournalSettings> = {},
    crowded: () => boolean = () => false,
  ): Promise<SharedJournalSystem> {
    const found = new SharedRecovery()
    await physical.replay(physical.start, (bytes, at) => found.add(bytes, at))
    return new SharedJournalSystem(physical, resolveSharedJournalSettings(settings), crowded, found.logs())
  }

  /** Ends when the log below has failed: whatever is appended rejects then, until it is opened anew. */
  async open(shard: ShardId, epoch: Epoch, _state: JournalStateKeeper, needed?: JournalPosition): Promise<Journal> {
    assert(epoch >= 1, 'the first owner has epoch 1')
    const log = this.#log(shard)
    if (log.epoch > epoch) throw fenced(log.epoch)
    this.#checkNeeded(log, needed)
    const journal = new SharedJournal(this.#host, log, epoch)
    // From here on the former owner appends nothing; what it has appended before comes before this record.
    log.handOver(journal)
    log.epoch = epoch
    const record = { kind: 'open', shard, epoch, position: 0, end: 0 } as const
    const { synced } = this.#appendRecord(encodeRecord(record), 'synced')
    await synced
    if (log.owner !== journal) throw fenced(log.epoch)
    log.settleFormers()
    return journal
  }

  async openReadOnly(shard: ShardId, _state: Uint8Array | undefined, needed?: JournalPosition): Promise<JournalReader> {
    const log = this.#logs.get(shard) ?? new SharedLog(shard)
    this.#checkNeeded(log, needed)
    this.#settle()
    const limit = log.end
    let closed = false
    return {
      start: log.start as JournalPosition,
      replay: async (from, visit) => {
        if (closed) throw new VarveError('CLOSED', 'the reader is closed')
        return this.#read(() => replayShared(this.#physical, log, from, limit, visit))
      },
      close: () => {
        closed = true
        return Promise.resolve()
      },
    }
  }

  /** Shards that have ever been here. */
  get shardCount(): number {
    return this.#logs.size
  }

  /** Resolves where the log below takes appends, as far as is known. @throws {VarveError} OUTCOME_UNKNOWN, FENCED, CLOSED */
  barrier(): Promise<void> {
    return this.#physical.barrier()
  }

  /** The log below has failed, and is closed: every journal here rejects with `reason` from now on. */
  async end(reason: VarveError): Promise<void> {
    this.#failure ??= reason
    await this.close().catch(() => undefined)
  }

  /** Closes the log below. */
  async close(): Promise<void> {
    // Whoever truncated hears of what failed.
    await this.#reclaiming?.catch(() => undefined)
    await this.#physical.close()
  }

  #log(shard: ShardId): SharedLog {
    const log = this.#logs.get(shard) ?? new SharedLog(shard)
    this.#logs.set(shard, log)
    return log
  }

  #checkNeeded(log: SharedLog, needed: JournalPosition = POSITION_ZERO): void {
    if (needed > log.end || (needed > 0 && needed < log.start))
      throw journalCorrupt('the shared log', needed, `shard ${log.shard} is there from ${log.start} to ${log.end}`)
  }

  #append(log: SharedLog, payload: Uint8Array, durability: Durability): Append {
    this.#settle()
    const position = log.end
    const bytes = encodeRecord({ kind: 'batch', shard: log.shard, epoch: log.epoch, position, end: 0, payload })
    const record = this.#physical.end
    const { written, synced } = this.#appendRecord(bytes, durability)
    log.place({
      position,
      bytes: payload.length,
      record,
      payload: record + bytes.length - payload.length,
    })
    return { end: log.end as JournalPosition, written, synced }
  }

  #appendRecord(bytes: Uint8Array, durability: Durability): Append {
    this.#settle()
    const append = this.#physical.append(bytes, durability)
    this.#end = append.end
    return append
  }

  /** Where the disk was full, the log below is shorter than it was. */
  #settle(): void {
    const { end } = this.#physical
    if (end >= this.#end) return
    this.#end = end
    for (const log of this.#logs.values()) log.takeBack(end)
  }

  /** Gives back segments that nobody needs, once at a time. */
  #reclaim(): Promise<void> {
    this.#reclaiming ??= this.#space.reclaim().finally(() => (this.#reclaiming = undefined))
    return this.#reclaiming
  }

  /** A batch may have been moved, and go where it was, while somebody reads it there: that would look like damage. */
  async #drop(before: JournalPosition): Promise<void> {
    const dropped = Promise.allSettled(this.#reads).then(() => this.#physical.truncate(before))
    this.#dropping = dropped.catch(() => undefined)
    try {
      await dropped
    } finally {
      this.#dropping = undefined
    }
  }

  /** @param work looks up where batches are when it is called */
  async #read<Result>(work: () => Promise<Result>): Promise<Result> {
    while (this.#dropping !== undefined) await this.#dropping
    const reading = work()
    this.#reads.add(reading)
    try {
      return await reading
    } finally {
      this.#reads.delete(reading)
    }
  }
}
