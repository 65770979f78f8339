/** Work queues of JetStream, and mail between those who are connected. */

import { VarveError } from '../kernel/errors.ts'
import { deliveredBy } from './ack-subject.ts'
import type { JetStream } from './jet-stream.ts'
import type { Delivery, Mail, Mailbox, NatsMessage, StreamSettings, WorkQueues } from './nats.ts'

/** Error codes of the server: https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const SEQUENCE_NOT_FOUND = 10_043
const CONSUMER_NOT_FOUND = 10_014
const CONSUMER_EXISTS = 10_148
const CONSUMER_IN_USE = 10_013
// A consumer takes some kilobytes of the server, and 2 ms to make.
const INACTIVE_MS = 300_000
const NS_PER_MS = 1_000_000
const NOTHING = new Uint8Array(0)

/** Work queues and mail over the connection of a `JetStream`. Holds nothing of its own. */
export class JetStreamQueues implements WorkQueues, Mail {
  /** As given; stays the caller's. */
  readonly streams: JetStream

  constructor(streams: JetStream) {
    this.streams = streams
  }

  get bytesMax(): number {
    return this.streams.payloadBytesMax
  }

  async ensureQueue(settings: StreamSettings): Promise<void> {
    await this.streams.ensure(settings)
  }

  async subjects(stream: string, filter: string): Promise<readonly string[]> {
    const { error, state } = await this.streams.ask('STREAM.INFO', stream, { subjects_filter: filter })
    if (error !== undefined) throw failed('subjects', stream, error.description)
    return Object.keys((state as { readonly subjects?: object }).subjects ?? {})
  }

  async delivered(stream: string, subject: string, leaseMs: number): Promise<number> {
    const consumer = consumerOf(subject)
    const found = await this.streams.ask('CONSUMER.INFO', `${stream}.${consumer}`, {})
    if (found.error === undefined) return found['num_ack_pending'] as number
    if (found.error.err_code !== CONSUMER_NOT_FOUND) throw failed('consumer', stream, found.error.description)
    const config = {
      durable_name: consumer,
      filter_subject: subject,
      ack_policy: 'explicit',
      deliver_policy: 'all',
      replay_policy: 'instant',
      ack_wait: leaseMs * NS_PER_MS,
      // Who works may do so for many at a time, and how often one may be tried is its submitter's to say.
      max_ack_pending: 10_000,
      max_deliver: -1,
      // Subjects come and go. Messages stay: they are delivered again by the next one.
      inactive_threshold: INACTIVE_MS * NS_PER_MS,
    }
    const { error } = await this.streams.ask('CONSUMER.DURABLE.CREATE', `${stream}.${consumer}`, {
      stream_name: stream,
      config,
    })
    // Another has made it meanwhile, perhaps.
    if (error !== undefined && ![CONSUMER_EXISTS, CONSUMER_IN_USE].includes(error.err_code ?? 0))
      throw failed('consumer', stream, error.description)
    return 0
  }

  async next(stream: string, subject: string): Promise<Delivery | undefined> {
    const { connection, settings } = this.streams
    const path = `${settings.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumerOf(subject)}`
    const request = Buffer.from(JSON.stringify({ batch: 1, no_wait: true }))
    const message = await this.#request(path, request, true)
    if ((message.headers?.code ?? 0) >= 400 || (message.reply ?? '') === '') return undefined
    const { reply = '' } = message
    const settle = (how: string): void => connection.publish(reply, Buffer.from(how))
    return {
      data: message.data,
      count: deliveredBy(reply).count || 1,
      done: () => settle('+ACK'),
      renew: () => settle('+WPI'),
      giveBack: (delayMs = 0) =>
        settle(delayMs === 0 ? '-NAK' : `-NAK ${JSON.stringify({ delay: Math.ceil(delayMs) * NS_PER_MS })}`),
    }
  }

  async remove(stream: string, sequence: number): Promise<boolean> {
    const { error } = await this.streams.ask('STREAM.MSG.DELETE', stream, { seq: sequence, no_erase: true })
    if (error === undefined) return true
    if (
      error.code === 404 ||
      error.err_code === SEQUENCE_NOT_FOUND ||
      /no message|not found/.test(error.description ?? '')
    )
      return false
    throw failed('delete', stream, error.description)
  }

  open(answer: (data: Uint8Array) => Uint8Array | undefined, address = this.streams.inbox()): Mailbox {
    return this.#subscribe(address, (message) => {
      const reply = answer(message.data)
      // Empty where nobody waits for an answer.
      if (reply !== undefined && (message.reply ?? '') !== '')
        this.streams.connection.publish(message.reply ?? '', reply)
    })
  }

  async ask(address: string, data: Uint8Array): Promise<Uint8Array> {
    return (await this.#request(address, data)).data
  }

  tell(subject: string): void {
    try {
      this.streams.connection.publish(subject, NOTHING)
    } catch {
      // Those who listen look by themselves now and then.
    }
  }

  listen(subject: string, hear: () => void): Mailbox {
    return this.#subscribe(subject, hear)
  }

  #subscribe(subject: string, receive: (message: NatsMessage) => void): Mailbox {
    const subscription = this.streams.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) receive(message)
      },
    })
    return { address: subject, close: () => subscription.unsubscribe() }
  }

  async #request(subject: string, data: Uint8Array, noMux = false): Promise<NatsMessage> {
    try {
      return await this.streams.connection.request(subject, data, {
        timeout: this.streams.settings.requestMs,
        noMux,
      })
    } catch (error) {
      throw failed('request', subject, error)
    }
  }
}

/** Names of consumers have no dots. Where subjects have no `~`, no two of them have the same consumer. */
function consumerOf(subject: string): string {
  return subject.replaceAll('.', '~')
}

function failed(operation: string, path: string, cause: unknown): VarveError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new VarveError('IO_FAILED', `NATS did not do it: ${operation} of ${path}: ${reason}`, {
    details: { operation, path, reason },
    cause,
  })
}
