/**
 * Publishes records in order, many at a time, each as the successor of the one before it.
 *
 *      queued ──► sent, expecting last = n, n + 1, n + 2, … ──► stored
 *        ▲                     │ one is refused, or not answered
 *        └──── not there ◄── read back what the stream has
 *
 * A record of which nothing was heard is either in the stream or not, or will be: it expects a sequence, and so does the
 * same record when it is sent again, so that one of both is stored at the most. Which is read back, never guessed. Where
 * another owner's fence is found, this one has been fenced. A record behind one that was refused is void (chain.ts), and
 * is sent again.
 *
 * What is read back may be what one server alone has, which was cut off: the leader is asked for it, too, and it counts when
 * the next record, or a touch, was stored behind it. A server that still takes itself for the leader does not get that far.
 */

import { VarveError, isCode } from '../../kernel/errors.ts'
import type { Published, StoredMessage } from '../../nats/nats.ts'
import { RETRY_MS_MAX, RETRY_MS_MIN, pause } from '../../nats/patience.ts'
import { Silence } from '../../nats/silence.ts'
import { outcomeUnknown } from '../append-check.ts'
import { fenced } from '../fence.ts'
import { isStored, same, touchAfter } from './outgoing-record.ts'
import type { OutgoingRecord, SentRecord } from './outgoing-record.ts'
import type { ShardLog } from './shard-log.ts'

/** One opening of a journal. */
export interface Owner {
  readonly epoch: number
  readonly owner: string
}

export interface PipelineHost {
  /** Nothing can be sent any more: FENCED, OUTCOME_UNKNOWN, or CLOSED, where nothing of what was not acknowledged is there. */
  failed(reason: VarveError): void
  /** There is no space for the oldest record; it and everything after it was taken back. */
  full(reason: VarveError): void
}

/** Read back, and not known to be there for good. */
interface Found {
  readonly sent: SentRecord
  readonly sequence: number
}

function strangerIn({ stream, subject }: ShardLog, sequence: number): VarveError {
  const reason = `somebody else publishes under ${subject}: message ${sequence} of stream ${stream} is no record`
  return new VarveError('IO_FAILED', reason, { details: { path: stream, operation: 'append' } })
}

export class RecordPipeline {
  readonly #log: ShardLog
  readonly #host: PipelineHost
  readonly #owner: Owner
  readonly #windowMessages: number
  #queued: SentRecord[] = []
  /** In front of those that were sent. */
  #found: readonly Found[] = []
  #sent: SentRecord[] = []
  #unanswered = 0
  /** Sequence and number of the newest record known to be in its place. */
  #confirmed: number
  #serial = 0
  /** What the next message follows: that record, one that was found, or a void one. */
  #last: number
  #recovering = false
  /** Why the last attempt to recover came to nothing. */
  #trouble: VarveError | undefined
  #failed = false

  constructor(
    log: ShardLog,
    last: number,
    options: {
      readonly owner: Owner
      readonly host: PipelineHost
      readonly windowMessages: number
    },
  ) {
    this.#log = log
    this.#confirmed = last
    this.#last = last
    this.#owner = options.owner
    this.#host = options.host
    this.#windowMessages = options.windowMessages
  }

  /** Sequence of the newest record known to be stored. */
  get last(): number {
    return this.#confirmed
  }

  /** In order of calls. */
  push(outgoing: OutgoingRecord): void {
    if (this.#failed) return
    this.#queued.push({ ...outgoing, answer: undefined, unsure: false, sentMs: 0 })
    this.#pump()
  }

  #pump(): void {
    while (!this.#recovering && !this.#failed && this.#sent.length < this.#windowMessages) {
      if (this.#queued.length > 0 && this.#hasEnded()) return
      const next = this.#queued.shift()
      if (next === undefined) return
      const before = this.#sent.length
      next.answer = undefined
      next.sentMs = this.#log.patience.clock.monotonic()
      this.#sent.push(next)
      this.#unanswered++
      this.#publish(next, before).then(
        (answer) => this.#answered(next, answer),
        () => this.#answered(next, 'unanswered'),
      )
    }
  }

  #answered(record: SentRecord, answer: Published | 'unanswered'): void {
    this.#unanswered--
    if (this.#failed) return
    record.answer = answer
    if (answer === 'unanswered') record.unsure = true
    while (isStored(this.#sent[0]?.answer)) this.#store(this.#last + 1)
    if (answer !== 'unanswered' && answer.type === 'stored') {
      this.#pump()
    } else if (!this.#recovering) {
      this.#recovering = true
      void this.#recover()
    }
  }

  /** @param before how many are sent and not known to be stored */
  #publish({ record }: SentRecord, before: number): Promise<Published> {
    const { streams, stream, subject, codec } = this.#log
    const serial = this.#serial + this.#found.length + before + 1
    const bytes = codec.encode({ ...this.#owner, ...record, serial, confirmed: this.#confirmed })
    return streams.publish(stream, subject, bytes, { expectedLast: this.#last + before })
  }

  /** The oldest record that was not found is in its place, and so are those before it. */
  #store(sequence: number): void {
    const first = this.#sent.shift()
    const found = this.#found
    this.#found = []
    this.#last = sequence
    this.#confirmed = sequence
    this.#serial += found.length + 1
    for (const each of found) each.sent.stored(each.sequence)
    first?.stored(sequence)
  }

  async #recover(): Promise<void> {
    const { clock, resumeMs } = this.#log.patience
    this.#trouble = undefined
    const silence = new Silence(clock, resumeMs, this.#sent[0]?.sentMs ?? clock.monotonic(), () => this.#giveUp())
    const goesOn = await this.#tryAgain(silence).finally(() => silence.end())
    if (!goesOn) return
    // In the order in which they came.
    this.#queued = [...this.#sent, ...this.#queued]
    this.#sent = []
    this.#recovering = false
    this.#pump()
  }

  /** @returns false: it has failed, or given back what does not fit */
  async #tryAgain(silence: Silence): Promise<boolean> {
    const { clock } = this.#log.patience
    let delayMs = RETRY_MS_MIN
    // Those that follow one that is not there are refused at once; others are not answered in time at the worst.
    while (this.#unanswered > 0) await pause(clock, RETRY_MS_MIN)
    for (;;) {
      if (this.#failed || this.#hasEnded()) return false
      const before = this.#confirmed
      try {
        await this.#readBack()
        if (this.#failed || this.#giveUpFull()) return false
        if (await this.#sendFirst()) return !this.#failed
      } catch (error) {
        if (isCode(error, 'IO_FAILED')) this.#trouble = error
        else this.fail(isCode(error, 'FENCED') ? error : outcomeUnknown('append', error))
      }
      if (this.#confirmed > before) {
        silence.broken()
        this.#trouble = undefined
        delayMs = RETRY_MS_MIN
      }
      if (silence.isOver) this.#giveUp()
      await pause(clock, delayMs)
      delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)
    }
  }

  /** Nobody will ever answer: what was sent may be there, and the rest is not. */
  #hasEnded(): boolean {
    const { ended } = this.#log.streams
    if (ended === undefined) return false
    const isUnsure =
      this.#found.length > 0 ||
      this.#sent.some(({ answer }) => answer === undefined) ||
      [...this.#sent, ...this.#queued].some(({ unsure }) => unsure)
    this.fail(isUnsure ? outcomeUnknown('append', ended) : ended)
    return true
  }

  #giveUp(): void {
    const [{ resumeMs }, answer] = [this.#log.patience, this.#sent[0]?.answer]
    const full = answer !== 'unanswered' && answer?.type === 'full' ? `: no space (${answer.reason}), and` : ''
    const last = this.#trouble === undefined ? '' : `; the last thing heard: ${this.#trouble.message}`
    this.fail(outcomeUnknown('append', new Error(`NATS${full} has not answered all for ${resumeMs} ms${last}`)))
  }

  /** Finds out which of those that were sent are in their places. */
  async #readBack(): Promise<void> {
    const { streams, stream, codec } = this.#log
    // What was found the last time counts as little as what was not.
    this.#sent = [...this.#found.map(({ sent }) => sent), ...this.#sent]
    this.#found = []
    this.#last = this.#confirmed
    const state = await streams.state(stream)
    if (state === undefined) throw new VarveError('JOURNAL_CORRUPT', `stream ${stream} is not there any more`)
    const found: Found[] = []
    let newest: StoredMessage | undefined
    await streams.read(stream, this.#confirmed + 1, state.last, (message) => {
      const { sequence } = message
      const record = codec.decode(message.data, sequence)
      if (record === undefined) {
        // Somebody else's, or one of ours, damaged: that is sent again, and this counts as little as what is void.
        this.#trouble = strangerIn(this.#log, sequence)
        return
      }
      const { epoch, owner } = this.#owner
      if (record.owner === owner) {
        if (record.serial !== this.#serial + found.length + 1) return
        const sent = this.#sent[found.length]
        if (!same(sent, record))
          throw new VarveError('JOURNAL_CORRUPT', `record ${sequence} of ${stream} is not what was sent`)
        found.push({ sent, sequence })
        newest = message
      } else if (record.kind === 'fence' || record.epoch > epoch) {
        // Any record of a later owner: its fence may have been truncated by now, its newest record never is.
        throw fenced(record.epoch)
      }
    })
    if (newest !== undefined) await this.#log.checkLeaderHas(newest)
    this.#sent = this.#sent.slice(found.length)
    this.#found = found
    this.#last = Math.max(state.last, this.#confirmed)
  }

  /** Nothing of what there is no space for may come later. */
  #giveUpFull(): boolean {
    const [first] = this.#sent
    if (first === undefined || this.#found.length > 0 || first.answer === undefined || first.answer === 'unanswered')
      return false
    if (first.answer.type !== 'full' || this.#sent.some(({ unsure }) => unsure)) return false
    const { reason } = first.answer
    const { stream } = this.#log
    this.#sent = []
    this.#queued = []
    this.#recovering = false
    this.#host.full(
      new VarveError('NO_SPACE', `stream ${stream} takes nothing more: ${reason}`, { details: { path: stream } }),
    )
    return true
  }

  /** One at a time until the server answers as usual. @returns true: nothing is left, or go on */
  async #sendFirst(): Promise<boolean> {
    if (this.#sent.length === 0) {
      const newest = this.#found.at(-1)
      if (newest === undefined) return true
      this.#sent.push(this.#queued.shift() ?? touchAfter(newest.sent))
    }
    const first = this.#sent[0] as SentRecord
    try {
      first.answer = await this.#publish(first, 0)
    } catch (error) {
      first.unsure = true
      first.answer = 'unanswered'
      throw error
    }
    if (!isStored(first.answer) || this.#failed) return false
    this.#store(this.#last + 1)
    return true
  }

  /** Takes nothing more. */
  fail(reason: VarveError): void {
    if (this.#failed) return
    this.#failed = true
    this.#found = []
    this.#sent = []
    this.#queued = []
    this.#host.failed(reason)
  }
}
