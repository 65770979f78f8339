/**
 * Streams over a connection to NATS, by JetStream's own API of requests and JSON:
 * https://docs.nats.io/reference/reference-protocols/nats_api_reference
 *
 * Messages are read by a consumer that lives as long as one read, in pulls of bounded size.
 */

import type { Clock } from '../kernel/clock.ts'
import { VarveError } from '../kernel/errors.ts'
import { MIB } from '../kernel/limits.ts'
import { nonce } from '../kernel/random.ts'
import type { Random } from '../kernel/random.ts'
import { parseAnswer, partOf, refused } from './api-answer.ts'
import type { ApiAnswer } from './api-answer.ts'
import type {
  NatsConnection,
  NatsHeaders,
  PublishOptions,
  Published,
  StoredMessage,
  StreamSettings,
  StreamState,
  Streams,
} from './nats.ts'
import { pull, unanswered } from './pull.ts'
import { resolveNatsSettings } from './settings.ts'
import type { NatsSettings } from './settings.ts'
import { checkConfiguration } from './stream-configuration.ts'
import { removeBefore } from './stream-removal.ts'

/** What streams are reached over. */
export interface JetStreamOptions {
  /** Stays the caller's. */
  readonly connection: NatsConnection
  /** `headers` of the client package: makes an empty set. */
  readonly headers: () => NatsHeaders
  /** Measures how long nothing was answered. */
  readonly clock: Clock
  /** Makes inboxes that nobody else has. */
  readonly random: Random
  /** Default, each: that of `NATS_DEFAULTS`. */
  readonly settings?: Partial<NatsSettings>
}

/** Error codes of the server: https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const STREAM_NOT_FOUND = 10_059
const NO_MESSAGE_FOUND = 10_037
const WRONG_LAST_SEQUENCE = 10_071
/** Stream is full, account is full, server is full. */
const FULL = [10_077, 10_002, 10_023, 10_047, 10_028]

/** What no other try would change, as clients name it. */
const DENIALS: readonly string[] = ['PermissionViolationError', 'AuthorizationError', 'UserAuthenticationExpiredError']

// A pull is answered by so many messages, or fewer: enough to keep the network busy, and bounded where they are large.
const PULL_BYTES = 4 * MIB
const PULL_MESSAGES_MAX = 500
// A server that has just come back lags behind the others for a while.
const FRUITLESS_PULLS_MAX = 3
const NS_PER_MS = 1_000_000

/** Streams over one connection, which stays the caller's. Calls may overlap. */
export class JetStream implements Streams {
  /** As given. */
  readonly connection: NatsConnection
  /** As they are in force, complete. */
  readonly settings: NatsSettings
  readonly #headers: () => NatsHeaders
  readonly #clock: Clock
  readonly #random: Random
  #answered = false
  /** Why the connection was closed for good, where the client says so. */
  #closedBy: unknown

  constructor({ connection, headers, clock, random, settings }: JetStreamOptions) {
    this.connection = connection
    this.settings = resolveNatsSettings(settings)
    this.#headers = headers
    this.#clock = clock
    this.#random = random
    connection.closed?.().then(
      (reason) => (this.#closedBy = reason),
      () => undefined,
    )
  }

  get payloadBytesMax(): number {
    // The server counts headers as well; a message also has to come back as JSON with its bytes in base64.
    return Math.floor(((this.connection.info?.max_payload ?? MIB) - 1024) / 2)
  }

  get openMs(): number | undefined {
    return this.#answered ? undefined : this.settings.openMs
  }

  get ended(): VarveError | undefined {
    const { connection } = this
    if (connection.isClosed?.() !== true && connection.isDraining?.() !== true) return undefined
    return connectionClosed(this.#closedBy)
  }

  async ensure(settings: StreamSettings): Promise<StreamState> {
    const { name, subjects, retention, replicas } = settings
    const found = await this.ask('STREAM.INFO', name, {})
    if (found.error === undefined) {
      checkConfiguration(settings, partOf(found, 'config'), this.connection.info?.version)
      return stateOf(found)
    }
    if (found.error.err_code !== STREAM_NOT_FOUND) throw refused('STREAM.INFO', name, found.error)
    const made = await this.ask('STREAM.CREATE', name, {
      name,
      subjects,
      retention,
      storage: 'file',
      num_replicas: replicas,
      // Rather than to forget what is oldest.
      discard: settings.messagesMax === undefined ? 'new' : 'old',
      max_age: 0,
      max_msgs: settings.messagesMax ?? -1,
      max_bytes: -1,
    })
    if (made.error !== undefined) {
      // Another has made it meanwhile, perhaps.
      const again = await this.state(name)
      if (again === undefined) throw refused('STREAM.CREATE', name, made.error)
      return this.ensure(settings)
    }
    return stateOf(made)
  }

  async state(stream: string): Promise<StreamState | undefined> {
    const found = await this.ask('STREAM.INFO', stream, {})
    if (found.error === undefined) return stateOf(found)
    if (found.error.err_code === STREAM_NOT_FOUND) return undefined
    throw refused('STREAM.INFO', stream, found.error)
  }

  async publish(
    stream: string,
    subject: string,
    payload: Uint8Array,
    { expectedLast }: PublishOptions = {},
  ): Promise<Published> {
    const headers = this.#headers()
    headers.set('Nats-Expected-Stream', stream)
    if (expectedLast !== undefined) headers.set('Nats-Expected-Last-Sequence', String(expectedLast))
    const answer = parseAnswer(await this.#request(subject, payload, headers))
    const { error } = answer
    if (error === undefined && typeof answer['seq'] === 'number') return { type: 'stored', sequence: answer['seq'] }
    if (error?.err_code === WRONG_LAST_SEQUENCE) return { type: 'refused' }
    if (error !== undefined && FULL.includes(error.err_code ?? 0))
      return { type: 'full', reason: error.description ?? 'no space' }
    throw refused('publish', stream, error)
  }

  async message(stream: string, sequence: number): Promise<StoredMessage | undefined> {
    const found = await this.ask('STREAM.MSG.GET', stream, { seq: sequence })
    if (found.error?.err_code === NO_MESSAGE_FOUND) return undefined
    if (found.error !== undefined) throw refused('STREAM.MSG.GET', stream, found.error)
    const { data = '' } = partOf(found, 'message') as { readonly data?: string }
    return { sequence, data: new Uint8Array(Buffer.from(data, 'base64')) }
  }

  async read(stream: string, first: number, last: number, visit: (message: StoredMessage) => void): Promise<void> {
    let next = first
    let bytes = 0
    let count = 0
    const size = (): number => {
      const each = count === 0 ? PULL_BYTES / 16 : bytes / count
      return Math.max(1, Math.min(PULL_MESSAGES_MAX, Math.floor(PULL_BYTES / each), last - next + 1))
    }
    const take = (message: StoredMessage): void => {
      if (message.sequence < next) return
      next = message.sequence + 1
      bytes += message.data.length
      count++
      visit(message)
    }
    let fruitless = 0
    while (next <= last) {
      const before = next
      const consumer = await this.#consume(stream, next)
      await pull(this, { stream, consumer, inbox: this.inbox() }, last, size, take, this.#clock)
      fruitless = next > before ? 0 : fruitless + 1
      if (fruitless > FRUITLESS_PULLS_MAX) throw unanswered('read', stream, new Error(`message ${next} does not come`))
    }
  }

  async purge(stream: string, sequence: number): Promise<void> {
    await removeBefore(sequence, {
      version: this.connection.info?.version,
      look: async () => {
        const found = await this.#must('STREAM.INFO', stream, {})
        return { first: stateOf(found).first, replicas: Number(partOf(found, 'config')['num_replicas']) }
      },
      purge: async (before) => void (await this.#must('STREAM.PURGE', stream, { seq: before })),
      remove: async (each) => void (await this.#must('STREAM.MSG.DELETE', stream, { seq: each, no_erase: true })),
    })
  }

  /** A consumer of everything from `first` on, which the server forgets when nobody pulls any more. */
  async #consume(stream: string, first: number): Promise<string> {
    const made = await this.ask('CONSUMER.CREATE', stream, {
      stream_name: stream,
      config: {
        deliver_policy: 'by_start_sequence',
        opt_start_seq: first,
        ack_policy: 'none',
        replay_policy: 'instant',
        inactive_threshold: 4 * this.settings.requestMs * NS_PER_MS,
        mem_storage: true,
        num_replicas: 1,
      },
    })
    if (made.error !== undefined) throw refused('CONSUMER.CREATE', stream, made.error)
    return made['name'] as string
  }

  /** A subject that nobody else listens to. */
  inbox(): string {
    return `${this.settings.inboxPrefix}.${nonce(this.#random)}`
  }

  /** A request that is not refused. @throws {VarveError} IO_FAILED */
  async #must(operation: string, stream: string, parameters: unknown): Promise<ApiAnswer> {
    const answer = await this.ask(operation, stream, parameters)
    if (answer.error !== undefined) throw refused(operation, stream, answer.error)
    return answer
  }

  /** One request of the JetStream API. */
  async ask(operation: string, stream: string, parameters: unknown): Promise<ApiAnswer> {
    return parseAnswer(await this.#request(`${this.settings.apiPrefix}.${operation}.${stream}`, json(parameters)))
  }

  async #request(subject: string, payload: Uint8Array, headers?: NatsHeaders): Promise<Uint8Array> {
    const timeout = this.settings.requestMs
    const { ended } = this
    if (ended !== undefined) throw ended
    try {
      const options = headers === undefined ? { timeout } : { timeout, headers }
      const { data } = await this.connection.request(subject, payload, options)
      this.#answered = true
      return data
    } catch (error) {
      if (!this.#answered && error instanceof Error && DENIALS.includes(error.name)) {
        throw new VarveError('PERMISSION_DENIED', `NATS denies ${subject}: ${error.message}`, {
          details: { operation: 'request', path: subject },
          cause: error,
        })
      }
      throw unanswered('request', subject, error, this.connection.getServer?.())
    }
  }
}

function connectionClosed(cause: unknown): VarveError {
  const reason = cause instanceof Error ? cause.message : 'by this program, as far as is known'
  const message = `the connection to NATS is closed for good (${reason}): open again what is over it, with a new connection`
  return new VarveError('CLOSED', message, { cause })
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function stateOf(answer: ApiAnswer): StreamState {
  const { first_seq, last_seq, messages } = partOf(answer, 'state') as Record<string, number>
  return {
    created: String(answer['created']),
    first: first_seq ?? 0,
    last: last_seq ?? 0,
    messages: messages ?? 0,
  }
}
