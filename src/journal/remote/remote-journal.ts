/**
 * The one writer of a journal that is elsewhere.
 *
 * Appends are sent as they come and answered in order. When the connection is lost, whatever was not answered is sent
 * again on the next one, with the position it goes to: the service tells what it has already. Only where the service does
 * not come back, or does not know the journal any more, is the outcome of those appends unknown; that ends this writer. Where
 * none was under way, a service that does not know the journal opens it again, for the owner that it still has.
 *
 * What the service's journal refuses, as where there is no space, ends nothing: that, and everything appended since, rejects,
 * and `end` is back where it began.
 */

import { VarveError, isCode } from '../../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../../kernel/ids.ts'
import { isUnanswered } from '../../rpc/call-error.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcConnection, RpcReply } from '../../rpc/rpc.ts'
import { busy, checkBatch, failedAppend, outcomeUnknown, unsupported } from '../append-check.ts'
import type { Append, Durability, Journal, JournalSupport } from '../journal.ts'
import { AppendsInFlight } from './appends-in-flight.ts'
import type { InFlight } from './appends-in-flight.ts'
import { JOURNAL_SERVICE } from './journal-service.ts'
import { isRefusedAppend } from './refused-append.ts'
import { reopenJournal } from './reopened-journal.ts'
import type { OpenAgain, OpenedJournal } from './reopened-journal.ts'
import { replayPieces } from './remote-journal-reader.ts'
import type { Visit } from './remote-journal-reader.ts'

// The service lets go by itself of what nobody comes back for: it is told once.
const CLOSE_MS_MAX = 5_000

export interface RemoteJournalBasis {
  readonly client: RpcClient
  readonly epoch: Epoch
  readonly supports: JournalSupport
  readonly resumeMs: number
  readonly openAgain: OpenAgain
}

export class RemoteJournal implements Journal {
  readonly epoch: Epoch
  readonly #basis: RemoteJournalBasis
  readonly #appends: AppendsInFlight
  #key: string
  #needed: JournalPosition | undefined
  #connection: RpcConnection
  #resuming: Promise<void> | undefined
  #start: number
  #end: number
  #storedBytes: number
  /** Everything before is synced, as far as this writer was told. */
  #syncedEnd = -1
  #closing: Promise<void> | undefined

  constructor(basis: RemoteJournalBasis, opened: OpenedJournal) {
    const { key, needed, connection, start, end, pendingBytesMax, storedBytes } = opened
    this.#basis = basis
    this.#key = key
    this.#needed = needed
    this.epoch = basis.epoch
    this.#connection = connection
    this.#start = start
    this.#end = end
    this.#appends = new AppendsInFlight(pendingBytesMax)
    this.#storedBytes = storedBytes
  }

  get start(): JournalPosition {
    return this.#start as JournalPosition
  }

  get end(): JournalPosition {
    return this.#end as JournalPosition
  }

  get pendingBytes(): number {
    return this.#appends.bytes
  }

  get pendingBytesMax(): number {
    return this.#appends.bytesMax
  }

  get storedBytes(): number {
    return this.#storedBytes
  }

  append(payload: Uint8Array, durability: Durability): Append {
    this.#checkOpen()
    const { length } = payload
    checkBatch(length)
    if (!this.#basis.supports.durability.includes(durability)) throw unsupported(durability)
    const { failure, bytes } = this.#appends
    if (failure !== undefined) return failedAppend(this.#end, failure)
    if (bytes > 2 * this.pendingBytesMax) throw busy(bytes, this.pendingBytesMax)
    const entry = this.#appends.add(this.#end, payload, durability)
    this.#end += length
    this.#storedBytes += length
    if (this.#connection.alive && this.#resuming === undefined) this.#send(entry)
    else this.#resume()
    return { end: this.#end as JournalPosition, written: entry.written.promise, synced: entry.synced?.promise }
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    const asked = this.#end
    await this.#appends.settled()
    const { failure } = this.#appends
    if (failure !== undefined) throw failure
    // Less where something of it did not fit.
    const end = Math.min(asked, this.#end)
    // Who closes asks once more; where nothing is at stake, a service that has gone is not waited for.
    if (this.#syncedEnd >= end) return
    await this.#ask('sync')
    this.#syncedEnd = Math.max(this.#syncedEnd, end)
  }

  async read(position: JournalPosition, length: number): Promise<Uint8Array> {
    this.#checkOpen()
    if (!this.#basis.supports.read) throw unsupported('read')
    await this.#appends.settled()
    return (await this.#ask('read', [position, length])).body
  }

  async replay(from: JournalPosition, visit: Visit): Promise<JournalPosition> {
    this.#checkOpen()
    await this.#appends.settled()
    const end = await replayPieces(from, visit, (position) => this.#ask('replay', [position]))
    if (this.#appends.unwritten.length === 0) this.#end = Math.max(this.#end, end)
    return end
  }

  async truncate(before: JournalPosition): Promise<void> {
    this.#checkOpen()
    // From now on: the answer may be lost.
    this.#needed = Math.max(before, this.#needed ?? 0) as JournalPosition
    const [start, storedBytes] = (await this.#ask('truncate', [before])).value as [number, number]
    this.#start = start
    this.#storedBytes = storedBytes
  }

  async barrier(): Promise<void> {
    this.#checkOpen()
    await this.#ask('barrier')
  }

  /** False where nobody can be asked: a service that is away is waited for by those who have something at stake. */
  async crowded(): Promise<boolean> {
    if (this.#closing !== undefined || !this.#connection.alive) return false
    try {
      const call = { service: JOURNAL_SERVICE, method: 'crowded', parameters: [this.#key] }
      const timeoutMs = this.#basis.resumeMs
      return (await this.#connection.call({ ...call, timeoutMs })).value === true
    } catch {
      // Nor where the service does not know the question.
      return false
    }
  }

  ready(): Promise<void> {
    return this.#appends.ready()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#appends.settled()
    for (const { synced } of this.#appends.unsynced) await synced?.promise.catch(() => undefined)
    try {
      const { client, resumeMs } = this.#basis
      const connection = await client.connection()
      const timeoutMs = Math.min(resumeMs, CLOSE_MS_MAX)
      await connection.call({ service: JOURNAL_SERVICE, method: 'close', parameters: [this.#key], timeoutMs })
    } catch (error) {
      // The service closes it when nobody comes back, and one that lets nobody in any more does so, too; everything has been
      // acknowledged, or has not.
      if (!isUnanswered(error) && !isCode(error, 'CLOSED', 'PERMISSION_DENIED', 'INCOMPATIBLE')) throw error
    }
  }

  #send(entry: InFlight): void {
    const connection = this.#connection
    const { position, payload, durability } = entry
    if (!entry.answered) {
      entry.sent = true
      const parameters = [this.#key, position, durability, this.#appends.acknowledged(this.#end)]
      connection
        .call({ service: JOURNAL_SERVICE, method: 'append', parameters, body: payload, timeoutMs: 0, effect: true })
        .then(
          () => this.#appends.has(entry) && this.#appends.written(entry),
          (error: unknown) => this.#refused(entry, error, connection),
        )
    }
    if (entry.synced !== undefined) this.#sendSynced(entry, connection)
  }

  #sendSynced(entry: InFlight, connection: RpcConnection): void {
    const parameters = [this.#key, entry.position]
    connection.call({ service: JOURNAL_SERVICE, method: 'synced', parameters, timeoutMs: 0 }).then(
      () => {
        this.#appends.synced(entry)
        this.#syncedEnd = Math.max(this.#syncedEnd, entry.position + entry.payload.length)
      },
      (error: unknown) => {
        // What became of the append itself is told by its own answer.
        if (isUnanswered(error)) this.#resume()
        else if (!isRefusedAppend(error)) this.#refused(entry, error, connection)
      },
    )
  }

  #refused(entry: InFlight, error: unknown, connection: RpcConnection): void {
    if (!this.#appends.has(entry)) return
    if (isUnanswered(error)) {
      if (connection === this.#connection) this.#resume()
    } else if (isRefusedAppend(error)) {
      // What was sent after it is refused as well.
      this.#storedBytes -= this.#appends.takeBack(entry, error)
      this.#end = entry.position
    } else if (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN')) {
      this.#appends.fail(error)
    } else {
      this.#appends.fail(outcomeUnknown('append', error))
    }
  }

  /** Makes another connection and sends what was not answered, once at a time. */
  #resume(): void {
    if (this.#appends.failure !== undefined) return
    this.#resuming ??= this.#resumeOnce().finally(() => {
      this.#resuming = undefined
      // Lost again meanwhile.
      const { unwritten, unsynced } = this.#appends
      if (!this.#connection.alive && (unwritten.length > 0 || unsynced.size > 0)) this.#resume()
    })
  }

  async #resumeOnce(): Promise<void> {
    try {
      this.#connection = await this.#comeBack().catch(async (error: unknown) => {
        if (!this.#mayReopen(error)) throw error
        const { client, resumeMs, openAgain } = this.#basis
        const known = { needed: this.#needed, end: this.#appends.unwritten[0]?.position ?? this.#end }
        this.#key = await reopenJournal(client, resumeMs, openAgain, known)
        return this.#comeBack()
      })
    } catch (error) {
      this.#appends.fail(isCode(error, 'FENCED', 'OUTCOME_UNKNOWN') ? error : outcomeUnknown('append', error))
      return
    }
    for (const entry of this.#appends.unsynced) this.#sendSynced(entry, this.#connection)
    for (const entry of this.#appends.unwritten) this.#send(entry)
  }

  /** Tells whether the journal is still open there, and ours. */
  #comeBack(): Promise<RpcConnection> {
    const { client, resumeMs } = this.#basis
    return client.retry({ timeoutMs: resumeMs }, async (connection, timeoutMs) => {
      await connection.call({ service: JOURNAL_SERVICE, method: 'resume', parameters: [this.#key], timeoutMs })
      return connection
    })
  }

  /** The service does not know it any more, and what is in the log is not in doubt. */
  #mayReopen(error: unknown): boolean {
    return isCode(error, 'POISONED') && this.#appends.unsent && this.#closing === undefined
  }

  async #ask(method: string, parameters: readonly unknown[] = [], again = true): Promise<RpcReply> {
    if (this.#appends.failure !== undefined) throw this.#appends.failure
    const { client, resumeMs } = this.#basis
    try {
      // May take as long as it takes; only coming back is bounded.
      return await client.retry({ timeoutMs: resumeMs }, (connection) =>
        connection.call({ service: JOURNAL_SERVICE, method, parameters: [this.#key, ...parameters], timeoutMs: 0 }),
      )
    } catch (error) {
      if (again && this.#mayReopen(error)) {
        this.#resume()
        await this.#resuming
        return this.#ask(method, parameters, false)
      }
      if (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'POISONED'))
        this.#appends.fail(isCode(error, 'POISONED') ? outcomeUnknown(method, error) : error)
      throw this.#appends.failure ?? error
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the journal is closed')
  }
}
