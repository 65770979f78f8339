/**
 * Journals on NATS JetStream: a stream per shard, whose last sequence is the fence.
 *
 *      append ──► publish, only as the successor of message n ──► stored on a majority of replicas: written
 *      open   ──► publish a fence with a higher epoch         ──► what the former owner expects is never the last again
 *
 * Offers `written` only: servers acknowledge before they sync, unless they are set up otherwise, and a client cannot find
 * out how they are (docs/decisions/0013-nats.md). What is `written` survives every death of processes, and the loss of a
 * minority of replicas; it does not survive a power cut of a majority of them at once.
 */

import { assert } from '../../kernel/assert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { Epoch, JournalPosition, ShardId } from '../../kernel/ids.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import type { StoredMessage, StreamState, Streams } from '../../nats/nats.ts'
import { patiently, pause, patienceOf } from '../../nats/patience.ts'
import { fenced } from '../fence.ts'
import type { Journal, JournalReader, JournalStateKeeper, JournalSupport, JournalSystem } from '../journal.ts'
import { journalCorrupt } from '../journal-corrupt.ts'
import { NatsJournal } from './nats-journal.ts'
import { NatsJournalReader } from './nats-journal-reader.ts'
import { RecordCodec } from './record.ts'
import { resolveNatsJournalSettings } from './settings.ts'
import type { NatsJournalSettings } from './settings.ts'
import { ShardLog } from './shard-log.ts'
import { passOver, strangersOf } from './strangers.ts'

/** What journals in streams are made of. */
export interface NatsJournalOptions {
  /** Such as a `JetStream` of `varve/nats`. Stays the caller's. */
  readonly streams: Streams
  /** Checksums of fragments. */
  readonly hash: Hash
  /** Measures how long nothing was answered, and waits before asking again. */
  readonly clock: Clock
  /** Makes the names of owners. */
  readonly random: Random
  /** Default, each: that of `NATS_JOURNAL_DEFAULTS`. */
  readonly settings?: Partial<NatsJournalSettings>
}

// An owner that is writing is always faster than one who reads where the log ends first: it is made to stop.
const TRIES_BEFORE_KNOCKING = 2
const TRIES_PER_KNOCK = 20
const RETRY_MS = 20

/** Journals in streams of JetStream. Nothing of it has to be closed but the journals. */
export class NatsJournalSystem implements JournalSystem {
  readonly name = 'nats'
  readonly version = 1
  readonly supports: JournalSupport = Object.freeze({ durability: Object.freeze(['written'] as const), read: false })
  readonly #options: NatsJournalOptions
  readonly #settings: NatsJournalSettings

  constructor(options: NatsJournalOptions) {
    this.#options = options
    this.#settings = resolveNatsJournalSettings(options.settings)
  }

  async open(shard: ShardId, epoch: Epoch, keeper: JournalStateKeeper, needed?: JournalPosition): Promise<Journal> {
    assert(epoch >= 1, 'the first owner has epoch 1')
    const { streams, clock, random } = this.#options
    const { replicas } = this.#settings
    const log = this.#log(shard)
    const patience = patienceOf(streams, log.patience)
    const owner = nonce(random)
    const sinceMs = clock.monotonic()
    for (let tries = 0; ; tries++) {
      try {
        const state = await streams.ensure({
          name: log.stream,
          subjects: [log.subject],
          retention: 'limits',
          replicas,
        })
        checkSame(log, keeper.state, state)
        const tail = await log.tail(state)
        if (tail.record?.owner !== owner) {
          if ((tail.record?.epoch ?? 0) > epoch) throw fenced(tail.record?.epoch)
          const start = await log.start(state, tail.end)
          checkNeeded(log, needed, start, tail.end)
          if (tries % TRIES_PER_KNOCK === TRIES_BEFORE_KNOCKING) await log.mark('knock', { epoch, owner }, tail)
          const published = await log.mark('fence', { epoch, owner }, tail)
          if (published.type === 'full') {
            // The head is ours: nobody commits any more that what was before this is asked for again.
            if (needed === undefined || !(await log.purgeBefore(needed, state, tail)))
              throw noRoomToOpen(log, published.reason)
            continue
          }
          if (published.type === 'refused') throw overtaken(log)
        }
        // Read again: what was published before may be what is there now.
        const after = await streams.state(log.stream)
        const fence = after === undefined ? undefined : await log.tail(after)
        if (after === undefined || fence?.record?.owner !== owner) {
          if ((fence?.record?.epoch ?? 0) >= epoch) throw fenced(fence?.record?.epoch)
          throw overtaken(log)
        }
        const start = await log.start(after, fence.end)
        checkNeeded(log, needed, start, fence.end)
        // A head that has gone to another owner says so here.
        await keeper.commit(new TextEncoder().encode(after.created))
        const opened = { epoch, owner, start, end: fence.end, first: Math.max(after.first, 1), last: fence.sequence }
        return new NatsJournal(log, opened, this.#settings)
      } catch (error) {
        if (!isCode(error, 'IO_FAILED') || clock.monotonic() - sinceMs >= patience.resumeMs) throw error
        await pause(clock, RETRY_MS)
      }
    }
  }

  async openReadOnly(shard: ShardId, state: Uint8Array | undefined, needed?: JournalPosition): Promise<JournalReader> {
    const log = this.#log(shard)
    return patiently(patienceOf(log.streams, log.patience), () => this.#openReadOnly(log, state, needed))
  }

  async #openReadOnly(log: ShardLog, state: Uint8Array | undefined, needed?: JournalPosition): Promise<JournalReader> {
    const found = await this.#options.streams.state(log.stream)
    if (found === undefined) {
      checkNeeded(log, needed, 0, 0)
      return new NatsJournalReader(log, { start: 0, end: 0, first: 1, last: 0, owner: undefined })
    }
    checkSame(log, state, found)
    const { end, sequence, record } = await log.tail(found)
    const start = await log.start(found, end)
    checkNeeded(log, needed, start, end)
    const piece = { first: Math.max(found.first, 1), last: sequence, end, owner: record?.owner }
    return new NatsJournalReader(log, { start, ...piece })
  }

  /**
   * Messages behind the newest record of a journal that are no records: somebody else has published them, or they are damaged
   * ones. As long as there are any, opening says JOURNAL_CORRUPT.
   */
  async strangers(shard: ShardId): Promise<readonly StoredMessage[]> {
    const log = this.#log(shard)
    return patiently(patienceOf(log.streams, log.patience), () => strangersOf(log))
  }

  /**
   * Goes on without `messages`, after somebody has looked at them and knows that they are no records of this journal: what
   * is opened from then on begins behind them. An owner that has the shard open is fenced.
   *
   * @param messages all that `strangers` has given; what came since is not passed over
   * @throws {VarveError} IO_FAILED — there are others by now, or nobody answers: look again; NO_SPACE
   */
  async passOver(shard: ShardId, messages: readonly StoredMessage[]): Promise<void> {
    const log = this.#log(shard)
    await passOver(log, messages, nonce(this.#options.random))
  }

  #log(shard: ShardId): ShardLog {
    const { streams, hash, clock } = this.#options
    const { prefix, resumeMs } = this.#settings
    const codec = new RecordCodec(hash, shard, `${prefix}-journal-${shard}`)
    return new ShardLog(shard, streams, prefix, codec, { clock, resumeMs })
  }
}

function noRoomToOpen({ stream }: ShardLog, reason: string): VarveError {
  const wayOut = 'raise its max_bytes, or the limits of the account: once it is open, the shard flushes and purges'
  const why = `${reason}), and nothing in it that files have taken the place of`
  return new VarveError('NO_SPACE', `stream ${stream} has no room for a new owner (${why}: ${wayOut}`, {
    details: { path: stream },
  })
}

function overtaken({ stream }: ShardLog): VarveError {
  return new VarveError('IO_FAILED', `others are writing to ${stream}`, {
    details: { path: stream, operation: 'open' },
  })
}

/** Where the stream was removed and made anew, everything in it was lost. */
function checkSame({ stream }: ShardLog, state: Uint8Array | undefined, { created }: StreamState): void {
  const expected = new TextDecoder().decode(state ?? new Uint8Array(0))
  if (expected !== '' && expected !== created)
    throw journalCorrupt(stream, 0, `it was made at ${created}, not at ${expected}: what was in it is gone`)
}

function checkNeeded({ stream }: ShardLog, needed: number | undefined, start: number, end: number): void {
  if (needed === undefined || (needed >= start && needed <= end)) return
  throw journalCorrupt(stream, needed, `it is there from ${start} to ${end}`)
}
