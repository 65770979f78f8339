/**
 * The write path: from an operation to its acknowledgement.
 *
 *      write ──► group ──► memtable        applied   at once, invisible
 *                  │
 *                  └─ end of turn ──► journal ──► written   visible advances, in order
 *                                        └──────► synced
 *
 * Operations of one turn share one journal batch, and those of one rung one promise. While writes are held back they
 * queue, in order, up to a limit.
 *
 * When the journal refuses a group, as for NO_SPACE, nothing of it is in there, but the memtable has it already: writes are
 * held until the host has rebuilt the memtable from the journal. Any other failure leaves the outcome unknown: no further
 * write is taken, and reads go on at the last visible seqno.
 */

import type { VarveError } from '../kernel/errors.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import { KIB } from '../kernel/limits.ts'
import { wasRefused } from '../journal/append-check.ts'
import type { Durability, Journal } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { encodeBatch, visitBatches } from './group-codec.ts'
import { graver } from './owner-doubt.ts'
import type { Engine, Purpose } from './shard.ts'
import type { ShardSettings } from './settings.ts'
import { writeFailure } from './write-failure.ts'
import { EncoderPool, WriteGroup } from './write-group.ts'
import type { WriteHost } from './write-host.ts'
import type { HoldReason } from './write-refusal.ts'
import { WriteQueue } from './write-queue.ts'
import type { QueuedTurn } from './write-queue.ts'
import { RUN_BYTES_MAX, WriteRun } from './write-run.ts'

const NOW = Promise.resolve()

// Some 3 ms of work: what has queued up while writes were held back must not hold the program's thread when it is let go.
const DRAIN_BYTES_PER_TURN = 128 * KIB

export class WritePath<Operation, Table extends Memtable<Operation>> {
  readonly #engine: Engine<Operation, Table, unknown>
  readonly #journal: Journal
  readonly #settings: ShardSettings
  readonly #host: WriteHost
  readonly #queue: WriteQueue<Operation>
  readonly #encoders = new EncoderPool()
  readonly #holds = new Set<HoldReason>()
  /** The memtable that takes writes. The host replaces it. */
  table: Table
  /** Seqno of the last operation in a memtable. */
  applied: Seqno
  /** Seqno of the last operation that reads may see. */
  visible: Seqno
  /** Seqno of the last operation known to be on stable storage. */
  synced: Seqno
  /** Encoded bytes of all operations. */
  writtenBytes = 0
  #heldMs = 0
  #heldSince = 0
  /** The queue is being emptied, some of it in every turn. */
  #draining = false
  #group: WriteGroup | undefined
  /** The group that was handed to the journal last. */
  #appended: WriteGroup | undefined
  /** Ended when what is before them had been taken back by the journal, which has not said so yet. */
  #stranded: WriteGroup[] = []
  #failure: VarveError | undefined
  /** Why operations that store are refused. */
  #refusal: VarveError | undefined
  /** Something has been applied that frees space, since `freed` was last asked. */
  #freed = false

  constructor(
    engine: Engine<Operation, Table, unknown>,
    journal: Journal,
    settings: ShardSettings,
    host: WriteHost,
    start: { readonly table: Table; readonly seqno: Seqno },
  ) {
    this.#engine = engine
    this.#journal = journal
    this.#settings = settings
    this.#host = host
    const limits = { bytesMax: settings.queuedBytesMax, runBytesMax: Math.min(RUN_BYTES_MAX, settings.groupBytesMax) }
    this.#queue = new WriteQueue(limits, (operation, into) => engine.encode(operation, into), host)
    this.table = start.table
    this.applied = start.seqno
    this.visible = start.seqno
    this.synced = start.seqno
  }

  get queuedBytes(): number {
    return this.#queue.bytes
  }

  get heldMs(): number {
    return this.#heldMs + (this.#holds.size > 0 ? this.#host.now() - this.#heldSince : 0)
  }

  write(operation: Operation, durability: Durability, purpose: Purpose): Promise<void> {
    if (this.#failure !== undefined) return this.#reject(this.#failure)
    if (this.#refusal !== undefined && !this.#admits(purpose)) return Promise.reject(this.#refusal)
    if (this.#holds.size > 0 || !this.#queue.empty) return this.#wait([operation], durability, purpose)
    const group = this.#group ?? this.#begin()
    const end = group.encoder.length
    try {
      const position = (group.position + group.encoder.varint(1).length) as JournalPosition
      this.#engine.encode(operation, group.encoder)
      this.#apply(operation, position)
    } catch (error) {
      group.encoder.truncate(end)
      return Promise.reject(error)
    }
    return this.#added(group, durability)
  }

  writeBatch(operations: readonly Operation[], durability: Durability, purpose: Purpose): Promise<void> {
    if (this.#failure !== undefined) return this.#reject(this.#failure)
    if (this.#refusal !== undefined && !this.#admits(purpose)) return Promise.reject(this.#refusal)
    if (operations.length === 0) return Promise.resolve()
    if (this.#holds.size > 0 || !this.#queue.empty) return this.#wait(operations, durability, purpose)
    const group = this.#group ?? this.#begin()
    const starts: number[] = []
    try {
      // All of it before any is applied: what is in the memtable cannot be taken back.
      encodeBatch(operations, group.encoder, (operation, into) => {
        starts.push(into.length)
        this.#engine.encode(operation, into)
      })
      for (let index = 0; index < operations.length; index++)
        this.#apply(operations[index] as Operation, (group.position + (starts[index] as number)) as JournalPosition)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#added(group, durability)
  }

  /** From now on operations that store, those that wait included, are refused with `reason`; undefined: not any more. */
  refuse(reason: VarveError | undefined): void {
    this.#refusal = reason
    if (reason === undefined) return
    this.#freed = false
    this.#queue.rejectWrites(reason, 'store')
  }

  /** Whether anything that frees space was taken while others were refused, since this was last asked. */
  freed(): boolean {
    const freed = this.#freed
    this.#freed = false
    return freed
  }

  /** Holds writes back for `reason`, until it is released. */
  hold(reason: HoldReason): void {
    if (this.#holds.size === 0) this.#heldSince = this.#host.now()
    this.#holds.add(reason)
  }

  release(reason: HoldReason): void {
    if (!this.#holds.delete(reason) || this.#holds.size > 0) return
    this.#heldMs += this.#host.now() - this.#heldSince
    this.#drain()
  }

  /** Refuses what waits, where it waits in vain. */
  refuseInVain(): void {
    const reason = this.#host.inVain(this.#holds)
    if (reason !== undefined) this.#queue.rejectWrites(reason)
  }

  /** Ends the group of this turn now. */
  endGroup(): void {
    const group = this.#group
    if (group === undefined) return
    this.#group = undefined
    // What it was begun for could not be encoded.
    if (group.empty) return this.#encoders.give(group.encoder)
    this.writtenBytes += group.encoder.length
    this.#append(group)
    if (this.#stranded.length === 0 && this.table.bytes >= this.#settings.memtableBytes) this.#host.freeze()
  }

  /** Resolves when everything handed to the journal is visible; rejects as those writes do. */
  untilVisible(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const last = this.#appended
    return last === undefined || last.seqnoLast <= this.visible ? Promise.resolve() : last.promise('written')
  }

  /** Why what is not visible never will be. */
  get failure(): VarveError | undefined {
    return this.#failure
  }

  /** Takes no further write; everything queued or in flight rejects with what `reason` says. */
  fail(reason: VarveError): void {
    this.#failure = graver(this.#failure, reason)
    const group = this.#group
    this.#group = undefined
    group?.reject(this.#failure)
    this.#rejectStranded(this.#failure)
    this.#queue.rejectAll(this.#failure)
  }

  /** Runs `turn` when everything written before is in the memtable and nothing written after: now, where nothing waits. */
  inOrder(turn: QueuedTurn): void {
    if (this.#queue.empty && !this.#holds.has('rebuild')) turn.run()
    else this.#queue.pushTurn(turn)
  }

  /** The host has rebuilt the memtable: go on from there. */
  rebuilt(table: Table, seqno: Seqno): void {
    this.table = table
    this.applied = seqno
    this.visible = seqno
    // It is not in the journal: nobody may wait for it to become visible.
    this.#appended = undefined
    this.release('rebuild')
  }

  #reject(failure: VarveError): Promise<never> {
    if (failure.kind === 'unknown') this.#host.doubts()
    return Promise.reject(failure)
  }

  #wait(operations: readonly Operation[], durability: Durability, purpose: Purpose): Promise<void> {
    const inVain = this.#host.inVain(this.#holds)
    if (inVain === undefined) return this.#queue.push(operations, durability, purpose)
    // In another turn, which whoever writes again at once would keep from coming.
    return this.#host.turn().then(() => Promise.reject(inVain))
  }

  /** While the disk is full. */
  #admits(purpose: Purpose): boolean {
    if (purpose === 'free') this.#freed = true
    else this.#host.refused()
    return purpose === 'free'
  }

  #begin(): WriteGroup {
    const group = new WriteGroup(this.#encoders.take(), this.#journal.end, this.applied)
    this.#group = group
    // `queueMicrotask` makes an object for async hooks: 0.2 µs more, for each put that is awaited by itself.
    void NOW.then(() => {
      if (this.#group === group) this.endGroup()
    })
    return group
  }

  #apply(operation: Operation, position: JournalPosition): void {
    const seqno = (this.applied + 1) as Seqno
    try {
      this.table.apply(operation, seqno, position)
    } catch (error) {
      throw this.#broken(error)
    }
    this.applied = seqno
  }

  /** What could not be applied is in the group, and may be in parts of the memtable: neither is written any more. */
  #broken(error: unknown): unknown {
    this.fail(writeFailure(error))
    this.#host.advanced()
    return this.#failure
  }

  #added(group: WriteGroup, durability: Durability): Promise<void> {
    const promise = group.promise(durability)
    this.#grown(group)
    return promise
  }

  #grown(group: WriteGroup): void {
    group.seqnoLast = this.applied
    if (group.encoder.length >= this.#settings.groupBytesMax) this.endGroup()
  }

  #append(group: WriteGroup): void {
    const before = this.#appended
    this.#appended = group
    const { end } = this.#journal
    if (end !== group.position) {
      this.#stranded.push(group)
      if (before === undefined || before.seqnoLast <= this.visible)
        this.fail(writeFailure(new Error(`the journal ends at ${end}, not at ${group.position}`)))
      return
    }
    try {
      const append = this.#journal.append(group.encoder.view(), group.durability)
      append.written.then(
        () => this.#onWritten(group),
        (error: unknown) => this.#onFailed(group, error),
      )
      append.synced?.then(
        () => this.#onSynced(group),
        (error: unknown) => this.#onFailed(group, error),
      )
    } catch (error) {
      this.#onFailed(group, error)
      return
    }
    if (this.#journal.pendingBytes > this.#journal.pendingBytesMax) this.#awaitJournal()
  }

  #awaitJournal(): void {
    if (this.#holds.has('journal')) return
    this.hold('journal')
    this.#journal.ready().then(
      () => this.release('journal'),
      (error: unknown) => this.fail(writeFailure(error)),
    )
  }

  #onWritten(group: WriteGroup): void {
    this.visible = group.seqnoLast
    this.#encoders.give(group.encoder)
    const turn = this.#host.pace.take()
    if (turn === undefined) group.resolveWritten()
    else void turn.then(() => group.resolveWritten())
    this.#host.advanced()
  }

  #onSynced(group: WriteGroup): void {
    if (group.seqnoLast > this.synced) this.synced = group.seqnoLast
    group.resolveSynced()
  }

  #onFailed(group: WriteGroup, error: unknown): void {
    group.reject(error)
    if (wasRefused(error)) {
      if (this.#holds.has('rebuild') || this.#failure !== undefined) return
      this.hold('rebuild')
      // What this turn has added since follows a gap and cannot be written either.
      const later = this.#group
      this.#group = undefined
      later?.reject(error)
      this.#rejectStranded(error)
      this.#host.rebuild(error)
      return
    }
    this.fail(writeFailure(error))
    this.#host.advanced()
  }

  #rejectStranded(reason: VarveError): void {
    for (const group of this.#stranded.splice(0)) group.reject(reason)
  }

  /** Moves what waited into the group, as it was encoded. */
  #take(run: WriteRun): void {
    // So that no group is larger than it would be had nobody waited.
    if (this.#group !== undefined && this.#group.encoder.length + run.length > this.#settings.groupBytesMax)
      this.endGroup()
    const group = this.#group ?? this.#begin()
    const start = (group.position + group.encoder.length) as JournalPosition
    group.encoder.raw(run.batches)
    try {
      visitBatches(run.batches, start, (from, position) => this.#apply(this.#engine.decode(from), position))
    } catch (error) {
      run.reject(this.#broken(error))
      return
    }
    run.follow(group)
    this.#grown(group)
  }

  #drain(): void {
    if (this.#draining) return
    let bytes = 0
    while (this.#holds.size === 0) {
      if (bytes >= DRAIN_BYTES_PER_TURN) {
        this.#draining = true
        void this.#host.turn().then(() => {
          this.#draining = false
          this.#drain()
        })
        return
      }
      const first = this.#queue.shift()
      if (first === undefined) return
      if (first instanceof WriteRun) {
        bytes += first.length
        this.#take(first)
      } else {
        first.run()
      }
    }
  }
}
