/**
 * A journal system for others: the service behind `RemoteJournalSystem`.
 *
 * An open journal is the service's, under a name that only its client knows, and outlives connections: a client that
 * comes back goes on where it was. It is closed when its client says so, and when nobody has come back for a long time;
 * its epoch fences it whatever the service does.
 */

import { copyOf } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { decodeError } from '../../kernel/error-wire.ts'
import { VarveError } from '../../kernel/errors.ts'
import { epoch, journalPosition, shardId } from '../../kernel/ids.ts'
import type { JournalPosition, ShardId } from '../../kernel/ids.ts'
import { MIB } from '../../kernel/limits.ts'
import { checkShard } from '../../rpc/access.ts'
import { Parameters } from '../../rpc/parameters.ts'
import type { Grant, Peer, RpcAnswer, RpcRequest, RpcService, RpcSession } from '../../rpc/rpc.ts'
import type { Durability, JournalReader, JournalSystem } from '../journal.ts'
import { HostedJournal, replayPiece } from './hosted-journal.ts'
import { HostedJournals } from './hosted-journals.ts'
import { JournalOpening } from './journal-opening.ts'
import type { OpeningStep } from './journal-opening.ts'
import { markRefused } from './refused-append.ts'
import { encodeBatches } from './replay-codec.ts'

export const JOURNAL_SERVICE = 'journal'

const REPLAY_BYTES = 4 * MIB

/** What is offered, and to whom for how long. */
export interface JournalServiceOptions {
  /** What is offered: any journal system. */
  readonly journals: JournalSystem
  /** Measures how long a client is away. */
  readonly clock: Clock
}

/** Offers a journal system to clients. One open journal, one client. */
export class JournalService implements RpcService {
  /** As clients ask for it. */
  readonly name = JOURNAL_SERVICE
  readonly roles = ['journal'] as const
  /** As given. */
  readonly journals: JournalSystem
  readonly #hosted: HostedJournals

  constructor({ journals, clock }: JournalServiceOptions) {
    this.journals = journals
    this.#hosted = new HostedJournals(clock)
  }

  openSession({ grant }: Peer): RpcSession {
    return new JournalSession(this.journals, this.#hosted, grant)
  }

  /** Closes every journal, after the server over it. Rejects as `Journal.close`. */
  close(): Promise<void> {
    return this.#hosted.closeAll()
  }
}

class JournalSession implements RpcSession {
  readonly #journals: JournalSystem
  readonly #hosted: HostedJournals
  readonly #grant: Grant
  readonly #openings = new Map<string, JournalOpening>()
  readonly #readers = new Map<number, JournalReader>()
  #readerNext = 1

  constructor(journals: JournalSystem, hosted: HostedJournals, grant: Grant) {
    this.#journals = journals
    this.#hosted = hosted
    this.#grant = grant
  }

  async call({ method, parameters, body }: RpcRequest): Promise<RpcAnswer> {
    const given = new Parameters(parameters)
    switch (method) {
      case 'describe': {
        const { name, version, supports } = this.#journals
        return { value: [name, version, supports.durability, supports.read] }
      }
      case 'open':
        return { value: await this.#openJournal(given, body) }
      case 'committed':
        return { value: await this.#committed(given) }
      case 'append': {
        // Nothing is awaited before this: appends go in in the order of their calls.
        const [place, durability, acknowledged] = [given.count(1), given.text(2) as Durability, given.count(3)]
        const { written } = this.#journal(given).append(this, place, body, durability, acknowledged)
        await written.catch((error: unknown) => {
          throw markRefused(error)
        })
        return {}
      }
      case 'synced':
        await this.#journal(given).synced(given.count(1))
        return {}
      case 'sync':
        await this.#journal(given).journal.sync()
        return {}
      case 'read':
        return { body: await this.#journal(given).journal.read(position(given, 1), given.count(2)) }
      case 'replay': {
        const { batches, end } = await this.#journal(given).replayPiece(position(given, 1), REPLAY_BYTES)
        return { value: end, body: encodeBatches(batches) }
      }
      case 'truncate': {
        const { journal } = this.#journal(given)
        await journal.truncate(position(given, 1))
        return { value: [journal.start, journal.storedBytes] }
      }
      case 'resume': {
        const hosted = this.#journal(given)
        hosted.resume(this)
        await hosted.journal.barrier()
        return {}
      }
      case 'barrier':
        await this.#journal(given).journal.barrier()
        return {}
      case 'crowded':
        return { value: (await this.#journal(given).journal.crowded?.()) === true }
      case 'close':
        // Gone already: an answer was lost.
        if (this.#hosted.isOpen(given.text(0))) await this.#hosted.close(given.text(0))
        return {}
      case 'openReader': {
        const reader = await this.#journals.openReadOnly(
          this.#shard(given),
          given.flag(1) ? body : undefined,
          optionalPosition(given, 2),
        )
        const id = this.#readerNext++
        this.#readers.set(id, reader)
        return { value: [id, reader.start] }
      }
      case 'replayReader': {
        const { batches, end } = await replayPiece(this.#reader(given), position(given, 1), REPLAY_BYTES)
        return { value: end, body: encodeBatches(batches) }
      }
      case 'closeReader': {
        const reader = this.#readers.get(given.count(0))
        this.#readers.delete(given.count(0))
        await reader?.close()
        return {}
      }
      default:
        throw new VarveError('UNSUPPORTED', `journals have no ${method}`, { details: { capability: method } })
    }
  }

  async close(): Promise<void> {
    for (const opening of this.#openings.values()) opening.abandon()
    this.#hosted.leave(this)
    await Promise.allSettled(Array.from(this.#readers.values(), (reader) => reader.close()))
  }

  /** @returns what the client has to do next */
  async #openJournal(given: Parameters, body: Uint8Array): Promise<unknown> {
    const shard = this.#shard(given)
    const owner = epoch(given.count(1))
    const key = keyOf(given, 2, shard)
    // The client asks again, because an answer was lost.
    if (this.#hosted.isOpen(key)) {
      const hosted = this.#hosted.use(key, this)
      hosted.resume(this)
      return opened(hosted)
    }
    const state = given.flag(3) ? copyOf(body) : undefined
    const needed = optionalPosition(given, 4)
    const opening = new JournalOpening(state, (keeper) => this.#journals.open(shard, owner, keeper, needed))
    this.#openings.set(key, opening)
    return this.#step(key, opening.next())
  }

  async #committed(given: Parameters): Promise<unknown> {
    const key = given.text(0)
    const opening = this.#openings.get(key)
    if (opening === undefined) throw new VarveError('POISONED', 'no such journal is being opened')
    const step = opening.next()
    const failure = given.any(1)
    opening.committed(failure === null || failure === undefined ? undefined : decodeError(failure))
    return this.#step(key, step)
  }

  async #step(key: string, next: Promise<OpeningStep>): Promise<unknown> {
    let step: OpeningStep
    try {
      step = await next
    } catch (error) {
      this.#openings.delete(key)
      throw error
    }
    if (step.type === 'commit') return ['commit', step.state]
    this.#openings.delete(key)
    const hosted = new HostedJournal(step.journal, this)
    this.#hosted.host(key, hosted, this)
    return opened(hosted)
  }

  #shard(given: Parameters): ShardId {
    const shard = shardId(given.text(0))
    checkShard(this.#grant, shard)
    return shard
  }

  #journal(given: Parameters): HostedJournal {
    return this.#hosted.use(given.text(0), this)
  }

  #reader(given: Parameters): JournalReader {
    const reader = this.#readers.get(given.count(0))
    if (reader === undefined) throw new VarveError('CLOSED', 'the reader is closed')
    return reader
  }
}

/** A name nobody else knows: the client has drawn most of it. */
function keyOf(given: Parameters, index: number, shard: ShardId): string {
  const key = given.text(index)
  if (!key.startsWith(`${shard}/`) || key.length > 256) throw new TypeError('that is no name of a journal')
  return key
}

function opened({ journal }: HostedJournal): unknown {
  return ['opened', journal.start, journal.end, journal.pendingBytesMax, journal.storedBytes]
}

function position(given: Parameters, index: number): JournalPosition {
  return journalPosition(given.count(index))
}

function optionalPosition(given: Parameters, index: number): JournalPosition | undefined {
  const value = given.optionalCount(index)
  return value === undefined ? undefined : journalPosition(value)
}
