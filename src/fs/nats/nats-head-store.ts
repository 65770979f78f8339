/**
 * Heads on NATS JetStream: a stream per shard, of which the newest complete head is the head.
 *
 * A change is stored only as the successor of the message that its writer has seen last, so of two writers one is refused.
 * An expectation about a subject, or a bucket of the key-value store, would not do: a cluster has been seen to let several
 * win (docs/decisions/0013-nats.md). A change of which nothing was heard is looked for in the stream, and made again with
 * the same expectation; both cannot be stored. One that is found counts when something has been stored behind it. What is
 * before the newest head is removed.
 */

import type { Clock } from '../../kernel/clock.ts'
import { VarveError, isCode, throwIfAborted } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { KIB } from '../../kernel/limits.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import { resolveNatsLogSettings } from '../../nats/log-settings.ts'
import type { NatsLogSettings } from '../../nats/log-settings.ts'
import type { StoredMessage, StreamState, Streams } from '../../nats/nats.ts'
import { patiently, pause, patienceOf } from '../../nats/patience.ts'
import { checkSameMessages, otherMessages } from '../../nats/same-messages.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from '../fs.ts'
import { headConflict } from '../head-conflict.ts'
import { checkHeadSize } from '../head-size.ts'
import { HeadPartCodec, PART_HEADER_BYTES } from './head-part.ts'
import type { HeadPart } from './head-part.ts'

/** What heads in streams are made of. */
export interface NatsHeadStoreOptions {
  /** Such as a `JetStream` of `varve/nats`. Stays the caller's. */
  readonly streams: Streams
  /** Checksums of heads. */
  readonly hash: Hash
  /** Measures how long nothing was answered, and waits before asking again. */
  readonly clock: Clock
  /** Makes the parts of versions that nobody else has chosen. */
  readonly random: Random
  /** Default, each: that of `NATS_LOG_DEFAULTS`. */
  readonly settings?: Partial<NatsLogSettings>
}

interface FoundHead extends Head {
  readonly writer: string
}

interface HeadStream {
  readonly shard: ShardId
  readonly stream: string
  readonly subject: string
  readonly codec: HeadPartCodec
}

// Those who write heads of several messages at once hold each other up.
const RETRY_MS = 20
const NO_PART =
  'this message is no part of a head: where somebody else has published it, passOver of NatsHeadStore goes on without it'

/**
 * Heads in streams of JetStream. What a server has acknowledged counts as durable: see docs/decisions/0013-nats.md for
 * what that means.
 */
export class NatsHeadStore implements HeadStore {
  readonly name = 'nats'
  readonly #options: NatsHeadStoreOptions
  readonly #settings: NatsLogSettings

  constructor(options: NatsHeadStoreOptions) {
    this.#options = options
    this.#settings = resolveNatsLogSettings(options.settings)
  }

  async read(shard: ShardId, { signal }: AbortOptions = {}): Promise<Head | undefined> {
    throwIfAborted(signal)
    const place = this.#place(shard)
    const { streams, clock } = this.#options
    const { resumeMs } = this.#settings
    const found = await patiently(patienceOf(streams, { clock, resumeMs }), async () => {
      const state = await streams.state(place.stream)
      return state === undefined ? undefined : this.#find(place, state)
    })
    return found === undefined ? undefined : { version: found.version, content: found.content }
  }

  async compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    { signal }: AbortOptions = {},
  ): Promise<HeadVersion> {
    throwIfAborted(signal)
    checkHeadSize(content)
    const { streams, clock, random } = this.#options
    const patience = patienceOf(streams, { clock, resumeMs: this.#settings.resumeMs })
    const place = this.#place(shard)
    const parts = this.#split(content, nonce(random))
    const sinceMs = clock.monotonic()
    /** Something was sent of which nothing was heard. */
    let unsure = false
    for (;;) {
      try {
        const state = await this.#ensure(place)
        const found = await this.#find(place, state)
        if (found !== undefined && found.writer === parts[0]?.writer) {
          if (await this.#isFollowed(place, state)) return found.version
          throw new VarveError('IO_FAILED', `others are writing to ${place.stream}`, {
            details: { path: place.stream },
          })
        }
        if (found?.version !== expected) throw headConflict(shard, expected, found?.version)
        const version = await this.#write(place, parts, state, () => (unsure = true))
        if (version !== undefined) return version
      } catch (error) {
        if (isCode(error, 'NO_SPACE', 'CLOSED') && unsure) throw outcomeUnknown(error)
        if (!isCode(error, 'IO_FAILED')) throw error
        if (clock.monotonic() - sinceMs >= patience.resumeMs) throw unsure ? outcomeUnknown(error) : error
      }
      await pause(clock, 1 + (random.u32() % RETRY_MS))
    }
  }

  /**
   * Messages behind the newest head that are no parts of one: somebody else has published them, or they are a head that was
   * damaged. As long as there are any, the head cannot be read or changed: HEAD_CORRUPT.
   */
  async strangers(shard: ShardId): Promise<readonly StoredMessage[]> {
    const { streams, clock } = this.#options
    const patience = patienceOf(streams, { clock, resumeMs: this.#settings.resumeMs })
    return patiently(patience, async () => (await this.#lookBehind(this.#place(shard))).strangers)
  }

  /**
   * Goes on without `messages`, after somebody has looked at them and knows that they are no head: the one before them is
   * written again.
   *
   * @param messages all that `strangers` has given; what came since is not passed over
   * @throws {VarveError} HEAD_CORRUPT — there is no head before them
   * @throws {VarveError} IO_FAILED — there are others by now, or nobody answers: look again; NO_SPACE
   */
  async passOver(shard: ShardId, messages: readonly StoredMessage[]): Promise<void> {
    const place = this.#place(shard)
    const { streams, random } = this.#options
    const { state, head, strangers } = await this.#lookBehind(place)
    if (state === undefined || strangers.length === 0) return
    checkSameMessages(place.stream, strangers, messages)
    if (head !== undefined) {
      const parts = this.#split(head.content, nonce(random))
      const version = await this.#write(place, parts, state, () => undefined)
      if (version === undefined) throw otherMessages(place.stream)
      // Nothing was ever removed: there has been no head.
    } else if (state.first <= 1) await streams.purge(place.stream, state.last + 1)
    else throw place.codec.damaged(state.last, 'there is no head in front of what is passed over')
  }

  /** Strangers oldest first. */
  async #lookBehind(place: HeadStream): Promise<{
    readonly state: StreamState | undefined
    readonly head: FoundHead | undefined
    readonly strangers: readonly StoredMessage[]
  }> {
    const state = await this.#options.streams.state(place.stream)
    const strangers: StoredMessage[] = []
    const head = state === undefined ? undefined : await this.#find(place, state, strangers)
    return { state, head, strangers: strangers.reverse() }
  }

  #place(shard: ShardId): HeadStream {
    const { prefix } = this.#settings
    const stream = `${prefix}-head-${shard}`
    return {
      shard,
      stream,
      subject: `${prefix}.head.${shard}`,
      codec: new HeadPartCodec(this.#options.hash, shard, stream),
    }
  }

  #ensure({ stream, subject }: HeadStream): Promise<StreamState> {
    const { replicas } = this.#settings
    return this.#options.streams.ensure({ name: stream, subjects: [subject], retention: 'limits', replicas })
  }

  #split(content: Uint8Array, writer: string): readonly HeadPart[] {
    const { fragmentBytes } = this.#settings
    const bytes = Math.min(fragmentBytes, this.#options.streams.payloadBytesMax - PART_HEADER_BYTES - KIB)
    const count = Math.max(1, Math.ceil(content.length / bytes))
    return Array.from({ length: count }, (_, index) => ({
      writer,
      index,
      count,
      headBytes: content.length,
      payload: content.subarray(index * bytes, (index + 1) * bytes),
    }))
  }

  /** @returns undefined: another was faster with some message */
  async #write(
    { stream, subject, codec }: HeadStream,
    parts: readonly HeadPart[],
    { last }: StreamState,
    unheard: () => void,
  ): Promise<HeadVersion | undefined> {
    const { streams } = this.#options
    let expectedLast = last
    for (const part of parts) {
      const bytes = codec.encode(part)
      const answer = await streams.publish(stream, subject, bytes, { expectedLast }).catch((error: unknown) => {
        unheard()
        throw error
      })
      if (answer.type === 'refused') return undefined
      if (answer.type === 'full') {
        throw new VarveError('NO_SPACE', `stream ${stream} takes nothing more: ${answer.reason}`, {
          details: { path: stream },
        })
      }
      expectedLast = answer.sequence
    }
    // Nobody waits for it, and the next one does it again.
    void streams.purge(stream, expectedLast - parts.length + 1).catch(() => undefined)
    return versionOf(expectedLast, parts[0]?.writer ?? '')
  }

  /**
   * Stores something behind the newest message: a server that only takes itself for the leader, and may have what the others
   * have dropped, does not get that far. It is the first part of a head that never is complete, so it says nothing.
   */
  async #isFollowed({ stream, subject, codec }: HeadStream, { last }: StreamState): Promise<boolean> {
    const { streams, random } = this.#options
    const part = { writer: nonce(random), index: 0, count: 2, headBytes: 0, payload: new Uint8Array(0) }
    const answer = await streams.publish(stream, subject, codec.encode(part), { expectedLast: last })
    // Where there is no space nothing else can be asked.
    return answer.type !== 'refused'
  }

  /** The newest complete head. @param strangers gets what is behind it and no part of one. Default: that is damage */
  async #find(
    { stream, codec }: HeadStream,
    { first, last }: StreamState,
    strangers?: StoredMessage[],
  ): Promise<FoundHead | undefined> {
    const { streams } = this.#options
    const messageAt = async (sequence: number): Promise<StoredMessage> => {
      const message = await streams.message(stream, sequence)
      if (message !== undefined) return message
      // Removed since, because there is a newer head; or the server that answers lags behind.
      throw new VarveError('IO_FAILED', `stream ${stream} has no message ${sequence} now`, {
        details: { path: stream, operation: 'read' },
      })
    }
    for (let end = last; end >= Math.max(first, 1); end--) {
      const message = await messageAt(end)
      const newest = codec.decode(message.data, end)
      if (newest === undefined) {
        if (strangers === undefined) throw codec.damaged(end, NO_PART)
        strangers.push(message)
        continue
      }
      const begin = end - newest.index
      if (newest.index !== newest.count - 1 || begin < first) continue
      const content = new Uint8Array(newest.headBytes)
      let at = content.length - newest.payload.length
      content.set(newest.payload, at)
      let sequence = end - 1
      for (; sequence >= begin; sequence--) {
        const part = codec.decode((await messageAt(sequence)).data, sequence)
        if (part?.writer !== newest.writer || part.index !== sequence - begin || part.count !== newest.count) break
        at -= part.payload.length
        if (at >= 0) content.set(part.payload, at)
      }
      if (sequence < begin && at === 0)
        return { version: versionOf(end, newest.writer), writer: newest.writer, content }
    }
    return undefined
  }
}

function versionOf(sequence: number, writer: string): HeadVersion {
  return `${sequence}-${writer}` as HeadVersion
}

function outcomeUnknown(cause: unknown): VarveError {
  const reason = cause instanceof Error ? ` (${cause.message})` : ''
  return new VarveError('OUTCOME_UNKNOWN', `a change of a head was not answered${reason}`, {
    details: { operation: 'compareAndSet' },
    cause,
  })
}
