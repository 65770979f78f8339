/**
 * How a shared log gives back the space of what nobody needs.
 *
 * Segments go from its beginning, up to the first record that some shard needs. What a quiet shard needs there is copied to
 * the end, where it is little beside what goes; and before segments go, every shard's epoch and end are written again: of a
 * shard with nothing in the log nothing else says that it was ever there.
 *
 *      ┌ dead ┬ live ┬ dead … dead ┬ live …  end ┐
 *      └──────┴──┬───┴─────────────┴─────────────┴── copy ── states of all shards
 *       goes with the step that has copied it
 */

import type { JournalPosition, ShardId } from '../kernel/ids.ts'
import { KIB } from '../kernel/limits.ts'
import type { Append, Journal } from './journal.ts'
import type { PlacedBatch, SharedLog } from './shared-log.ts'
import { encodeRecord } from './shared-record.ts'
import type { SharedJournalSettings } from './shared-settings.ts'

// Where space is scarce a third of the log given back is worth what copying the rest costs: everybody waits for it.
const CROWDED_COPY_SHARE = 1.5
// Copied and given back in no more pieces than this: with each go the states of all shards.
const STEPS_MAX = 16
// What is copied with one write: small batches alone would take more space than they had.
const COPY_BYTES = 128 * KIB

/** What it needs of the shared log around it. */
export interface SharedSpaceHost {
  readonly physical: Journal
  readonly logs: ReadonlyMap<ShardId, SharedLog>
  /** Whether space is scarce. */
  crowded(): boolean
  append(record: Uint8Array): Append
  /** Drops whole segments of the log below before `before`. */
  drop(before: JournalPosition): Promise<void>
}

interface Copy {
  readonly batch: PlacedBatch
  readonly payload: Uint8Array
}

export class SharedSpace {
  readonly #settings: SharedJournalSettings
  readonly #host: SharedSpaceHost

  constructor(settings: SharedJournalSettings, host: SharedSpaceHost) {
    this.#settings = settings
    this.#host = host
  }

  /** Gives back segments that nobody needs. One call at a time. @throws {VarveError} NO_SPACE — nothing was lost */
  async reclaim(): Promise<void> {
    const { reclaimBytes, copyShare } = this.#settings
    const { physical, logs } = this.#host
    const stored = physical.end - physical.start
    if (stored < reclaimBytes) return
    let liveBytes = 0
    for (const log of logs.values()) liveBytes += log.bytes
    const crowded = this.#host.crowded()
    // What is newest will perhaps be flushed soon.
    const newest = crowded ? 0 : Math.floor(stored / copyShare)
    const copies = liveBytes * (crowded ? CROWDED_COPY_SHARE : copyShare) <= stored
    const copyLimit = copies ? physical.end - newest : 0
    const step = Math.max(reclaimBytes, Math.ceil(stored / STEPS_MAX))
    // A copy takes space before what it was made of gives any back: so not all at once.
    for (;;) {
      const { start } = physical
      await this.#copyBefore(Math.min(copyLimit, start + step))
      const first = this.#firstNeeded()
      if (first - start < reclaimBytes / 2) return
      await this.#writeStates()
      await this.#host.drop(first)
      if (physical.start === start) return
    }
  }

  /** Where the first record begins that some shard needs. */
  #firstNeeded(): JournalPosition {
    const { physical, logs } = this.#host
    let first: number = physical.end
    for (const { recordFirst } of logs.values())
      if (recordFirst !== undefined && recordFirst < first) first = recordFirst
    return first as JournalPosition
  }

  /** All of them, and durably, or nothing may go. */
  async #writeStates(): Promise<void> {
    const { physical, logs } = this.#host
    const states = Array.from(logs.values(), ({ shard, epoch, start, end }) =>
      this.#host.append(encodeRecord({ kind: 'state', shard, epoch, position: start, end })),
    )
    await Promise.all(states.map(({ written }) => written))
    await physical.sync()
  }

  /** Copies what is needed before `limit` of the log below to its end. */
  async #copyBefore(limit: number): Promise<void> {
    const { physical, logs } = this.#host
    for (const log of logs.values()) {
      let copies: Copy[] = []
      let bytes = 0
      for (const batch of log.batches.filter(({ record }) => record < limit)) {
        copies.push({ batch, payload: await physical.read(batch.payload as JournalPosition, batch.bytes) })
        bytes += batch.bytes
        if (bytes < COPY_BYTES) continue
        await this.#append(log, copies)
        copies = []
        bytes = 0
      }
      await this.#append(log, copies)
    }
  }

  async #append(log: SharedLog, copies: readonly Copy[]): Promise<void> {
    const { physical } = this.#host
    await physical.ready()
    const written: Promise<void>[] = []
    const moved: PlacedBatch[] = []
    for (const { batch, payload } of copies) {
      const { position } = batch
      // Forgotten meanwhile.
      if (position < log.start) continue
      const record = encodeRecord({ kind: 'batch', shard: log.shard, epoch: log.epoch, position, end: 0, payload })
      const at = physical.end
      written.push(this.#host.append(record).written)
      moved.push({ ...batch, record: at, payload: at + record.length - payload.length })
    }
    await Promise.all(written)
    for (const batch of moved) log.place(batch)
  }
}
