/**
 * The one writer of a journal that is elsewhere.
 *
 * Appends are sent as they come and answered in order. When the connection is lost, whatever was not answered is sent
 * again on the next one, with the position it goes to: the service tells what it has already. Only where the service does
 * not come back, or does not know the journal any more, is the outcome of those appends unknown; that ends this writer.
 *
 * NO_SPACE ends nothing: what did not fit, and everything appended since, rejects, and `end` is back where that began.
 */

import { VarveError, isCode } from '../../kernel/errors.ts'
import type { Epoch, JournalPosition } from '../../kernel/ids.ts'
import { isUnanswered } from '../../rpc/call-error.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcConnection, RpcReply } from '../../rpc/rpc.ts'
import { busy, checkBatch, failedAppend, outcomeUnknown, unsupported } from '../append-check.ts'
import { Deferred } from '../deferred.ts'
import type { Append, Durability, Journal, JournalSupport } from '../journal.ts'
import { JOURNAL_SERVICE } from './journal-service.ts'
import { replayPieces } from './remote-journal-reader.ts'
import type { Visit } from './remote-journal-reader.ts'

export interface RemoteJournalBasis {
  readonly client: RpcClient
  /** Its name at the service. */
  readonly key: string
  readonly epoch: Epoch
  readonly supports: JournalSupport
  readonly resumeMs: number
}

export interface OpenedJournal {
  readonly connection: RpcConnection
  readonly start: number
  readonly end: number
  readonly pendingBytesMax: number
  readonly storedBytes: number
}

interface InFlight {
  readonly position: number
  readonly payload: Uint8Array
  readonly durability: Durability
  readonly written: Deferred
  readonly synced: Deferred | undefined
  /** Answered, and waiting for those before it. */
  answered: boolean
}

export class RemoteJournal implements Journal {
  readonly epoch: Epoch
  readonly pendingBytesMax: number
  readonly #basis: RemoteJournalBasis
  /** Not answered, in order of append. */
  #inFlight: InFlight[] = []
  /** Written, and not known to be synced. */
  readonly #unsynced = new Set<InFlight>()
  #connection: RpcConnection
  #resuming: Promise<void> | undefined
  #start: number
  #end: number
  #storedBytes: number
  #pendingBytes = 0
  #waiting: Deferred[] = []
  #failure: VarveError | undefined
  #closing: Promise<void> | undefined

  constructor(basis: RemoteJournalBasis, { connection, start, end, pendingBytesMax, storedBytes }: OpenedJournal) {
    this.#basis = basis
    this.epoch = basis.epoch
    this.#connection = connection
    this.#start = start
    this.#end = end
    this.pendingBytesMax = pendingBytesMax
    this.#storedBytes = storedBytes
  }

  get start(): JournalPosition {
    return this.#start as JournalPosition
  }

  get end(): JournalPosition {
    return this.#end as JournalPosition
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get storedBytes(): number {
    return this.#storedBytes
  }

  append(payload: Uint8Array, durability: Durability): Append {
    this.#checkOpen()
    const { length } = payload
    checkBatch(length)
    if (!this.#basis.supports.durability.includes(durability)) throw unsupported(durability)
    if (this.#failure !== undefined) return failedAppend(this.#end, this.#failure)
    if (this.#pendingBytes > 2 * this.pendingBytesMax) throw busy(this.#pendingBytes, this.pendingBytesMax)
    const synced = durability === 'synced' ? new Deferred() : undefined
    const entry = { position: this.#end, payload, durability, written: new Deferred(), synced, answered: false }
    this.#inFlight.push(entry)
    this.#pendingBytes += length
    this.#end += length
    this.#storedBytes += length
    if (this.#connection.alive && this.#resuming === undefined) this.#send(entry)
    else this.#resume()
    return { end: this.#end as JournalPosition, written: entry.written.promise, synced: synced?.promise }
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    await this.#settled()
    await this.#ask('sync')
  }

  async read(position: JournalPosition, length: number): Promise<Uint8Array> {
    this.#checkOpen()
    if (!this.#basis.supports.read) throw unsupported('read')
    await this.#settled()
    return (await this.#ask('read', [position, length])).body
  }

  async replay(from: JournalPosition, visit: Visit): Promise<JournalPosition> {
    this.#checkOpen()
    await this.#settled()
    const end = await replayPieces(from, visit, (position) => this.#ask('replay', [position]))
    if (this.#inFlight.length === 0) this.#end = Math.max(this.#end, end)
    return end
  }

  async truncate(before: JournalPosition): Promise<void> {
    this.#checkOpen()
    const [start, storedBytes] = (await this.#ask('truncate', [before])).value as [number, number]
    this.#start = start
    this.#storedBytes = storedBytes
  }

  async barrier(): Promise<void> {
    this.#checkOpen()
    await this.#ask('barrier')
  }

  async ready(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#pendingBytes <= this.pendingBytesMax) return
    const waiter = new Deferred()
    this.#waiting.push(waiter)
    await waiter.promise
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#settled()
    for (const { synced } of this.#unsynced) await synced?.promise.catch(() => undefined)
    try {
      const { client, key } = this.#basis
      await client.call({
        service: JOURNAL_SERVICE,
        method: 'close',
        parameters: [key],
        timeoutMs: this.#basis.resumeMs,
      })
    } catch (error) {
      // The service closes it when nobody comes back; everything has been acknowledged, or has not.
      if (!isUnanswered(error) && !isCode(error, 'CLOSED')) throw error
    }
  }

  /** Waits until everything appended so far is answered, or never will be. */
  async #settled(): Promise<void> {
    await this.#inFlight.at(-1)?.written.promise.catch(() => undefined)
  }

  #send(entry: InFlight): void {
    const connection = this.#connection
    const { key } = this.#basis
    const { position, payload, durability } = entry
    if (!entry.answered) {
      const acknowledged = this.#inFlight[0]?.position ?? this.#end
      const unsyncedFirst = this.#unsynced.values().next().value?.position ?? acknowledged
      const parameters = [key, position, durability, Math.min(acknowledged, unsyncedFirst)]
      connection
        .call({ service: JOURNAL_SERVICE, method: 'append', parameters, body: payload, timeoutMs: 0, effect: true })
        .then(
          () => this.#answered(entry),
          (error: unknown) => this.#refused(entry, error, connection),
        )
    }
    if (entry.synced !== undefined) this.#sendSynced(entry, connection)
  }

  #sendSynced(entry: InFlight, connection: RpcConnection): void {
    const parameters = [this.#basis.key, entry.position]
    connection.call({ service: JOURNAL_SERVICE, method: 'synced', parameters, timeoutMs: 0 }).then(
      () => {
        // After `written`, which is answered before.
        void entry.written.promise.then(
          () => {
            this.#unsynced.delete(entry)
            entry.synced?.resolve()
          },
          () => undefined,
        )
      },
      (error: unknown) => {
        // What became of the append itself is told by its own answer.
        if (!isUnanswered(error) && !isCode(error, 'NO_SPACE')) this.#refused(entry, error, connection)
        else if (isUnanswered(error)) this.#resume()
      },
    )
  }

  #answered(entry: InFlight): void {
    if (this.#failure !== undefined || !this.#inFlight.includes(entry)) return
    entry.answered = true
    for (let first = this.#inFlight[0]; first?.answered === true; first = this.#inFlight[0]) {
      this.#inFlight.shift()
      this.#pendingBytes -= first.payload.length
      if (first.synced !== undefined) this.#unsynced.add(first)
      first.written.resolve()
    }
    this.#wake()
  }

  #refused(entry: InFlight, error: unknown, connection: RpcConnection): void {
    if (this.#failure !== undefined || (!this.#inFlight.includes(entry) && !this.#unsynced.has(entry))) return
    if (isUnanswered(error)) {
      if (connection === this.#connection) this.#resume()
    } else if (isCode(error, 'NO_SPACE')) {
      this.#takeBack(entry, error)
    } else if (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN')) {
      this.#fail(error)
    } else {
      this.#fail(outcomeUnknown('append', error))
    }
  }

  /** It did not fit, and what was sent after it does not either. */
  #takeBack(entry: InFlight, error: VarveError): void {
    const at = this.#inFlight.indexOf(entry)
    const rest = this.#inFlight.splice(at)
    this.#end = entry.position
    for (const { payload, written, synced } of rest) {
      this.#pendingBytes -= payload.length
      this.#storedBytes -= payload.length
      written.reject(error)
      synced?.reject(error)
    }
    this.#wake()
  }

  /** Makes another connection and sends what was not answered, once at a time. */
  #resume(): void {
    if (this.#failure !== undefined) return
    this.#resuming ??= this.#resumeOnce().finally(() => {
      this.#resuming = undefined
      // Lost again meanwhile.
      if (!this.#connection.alive && (this.#inFlight.length > 0 || this.#unsynced.size > 0)) this.#resume()
    })
  }

  async #resumeOnce(): Promise<void> {
    const { client, key, resumeMs } = this.#basis
    try {
      // A barrier costs next to nothing, and tells whether the journal is still open there, and ours.
      this.#connection = await client.retry({ timeoutMs: resumeMs }, async (connection, timeoutMs) => {
        await connection.call({ service: JOURNAL_SERVICE, method: 'barrier', parameters: [key], timeoutMs })
        return connection
      })
    } catch (error) {
      this.#fail(isCode(error, 'FENCED') ? error : outcomeUnknown('append', error))
      return
    }
    for (const entry of this.#unsynced) this.#sendSynced(entry, this.#connection)
    for (const entry of this.#inFlight) this.#send(entry)
  }

  async #ask(method: string, parameters: readonly unknown[] = []): Promise<RpcReply> {
    if (this.#failure !== undefined) throw this.#failure
    const { client, key, resumeMs } = this.#basis
    try {
      // May take as long as it takes; only coming back is bounded.
      return await client.retry({ timeoutMs: resumeMs }, (connection) =>
        connection.call({ service: JOURNAL_SERVICE, method, parameters: [key, ...parameters], timeoutMs: 0 }),
      )
    } catch (error) {
      if (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'POISONED'))
        this.#fail(isCode(error, 'POISONED') ? outcomeUnknown(method, error) : error)
      throw this.#failure ?? error
    }
  }

  #fail(reason: VarveError): void {
    if (this.#failure !== undefined) return
    this.#failure = reason
    for (const { written, synced, payload } of this.#inFlight.splice(0)) {
      this.#pendingBytes -= payload.length
      written.reject(reason)
      synced?.reject(reason)
    }
    for (const { synced } of this.#unsynced) synced?.reject(reason)
    this.#unsynced.clear()
    this.#wake()
  }

  #wake(): void {
    const failure = this.#failure
    if (failure === undefined && this.#pendingBytes > this.pendingBytesMax) return
    for (const waiter of this.#waiting.splice(0)) {
      if (failure === undefined) waiter.resolve()
      else waiter.reject(failure)
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the journal is closed')
  }
}
