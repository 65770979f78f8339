/**
 * What varve needs of NATS: the client that a program has anyway, and of JetStream the few operations that logs are made of.
 *
 * The one promise everything rests on is the expected last sequence of a _stream_: the server stores a message only as the
 * successor of the one that was named. Expectations about a subject are not that safe on a cluster
 * (docs/decisions/0013-nats.md), so a log has a stream of its own.
 */

import type { VarveError } from '../kernel/errors.ts'

/**
 * A connection of a NATS client: the part of `NatsConnection` (`@nats-io/transport-node`, `nats`, `@nats-io/nats-core`)
 * that is used here, so that none of these packages is needed to load this one.
 */
export interface NatsConnection {
  /** What the server has said of itself, once there is a connection. */
  readonly info?: { readonly max_payload: number; readonly version?: string } | undefined
  /** Which one it is connected with, for errors. */
  getServer?(): string
  /** For good: by the program, or because its credentials were refused, or attempts to connect have run out. */
  isClosed?(): boolean
  /** Closed for good once what is under way has ended. */
  isDraining?(): boolean
  /** Resolves when it is closed for good, with the reason where it was none of the program's. */
  closed?(): Promise<unknown>
  /** Sends without waiting for anything. */
  publish(subject: string, payload?: Uint8Array, options?: NatsPublishOptions): void
  /** Sends and waits for one answer; rejects where none comes in time, or nobody listens. */
  request(subject: string, payload?: Uint8Array, options?: NatsRequestOptions): Promise<NatsMessage>
  /** Calls back with what comes, until it is unsubscribed. */
  subscribe(subject: string, options?: NatsSubscribeOptions): NatsSubscription
}

/** Of a message that is sent. */
export interface NatsPublishOptions {
  /** Where the answer is to go. */
  readonly reply?: string
  /** Made by `JetStreamOptions.headers`. */
  readonly headers?: NatsHeaders
}

/** Of a request. */
export interface NatsRequestOptions {
  /** How long the answer may take, in milliseconds. */
  readonly timeout: number
  /** Made by `JetStreamOptions.headers`. */
  readonly headers?: NatsHeaders
  /** The answer is a message of a stream, and has its subject. */
  readonly noMux?: boolean
}

/** Of a subscription. */
export interface NatsSubscribeOptions {
  /** Hears every message, or why there will be none. */
  readonly callback?: (error: Error | null, message: NatsMessage) => void
}

/** A subject that is listened to. */
export interface NatsSubscription {
  /** Nothing is heard any more. */
  unsubscribe(): void
}

/** A message as the client gives it. */
export interface NatsMessage {
  /** To which it was sent. */
  readonly subject: string
  /** Where an answer is to go; empty or undefined: nobody waits for one. */
  readonly reply?: string
  /** Not changed by either side. */
  readonly data: Uint8Array
  /** `code` is 400 or more where the server says that there is nothing. */
  readonly headers?: { readonly code: number }
}

/** `MsgHdrs` of the client. */
export interface NatsHeaders {
  /** Adds one. */
  set(name: string, value: string): void
}

/** What a stream keeps, and how. */
export interface StreamSettings {
  /** The server's name for it. */
  readonly name: string
  /** What is published under these is in it. Wildcards as the server has them. */
  readonly subjects: readonly string[]
  /** `limits`: a log; `workqueue`: what is acknowledged goes. */
  readonly retention: 'limits' | 'workqueue'
  /** Oldest ones go beyond so many. Default: none go. */
  readonly messagesMax?: number
  /** Servers that have each message; more than half of them before it is acknowledged. */
  readonly replicas: number
}

/** What a server says of a stream. */
export interface StreamState {
  /** When it was made, as the server says it: another stream of the same name has another. */
  readonly created: string
  /** Of the oldest message; of the next one, where there is none. */
  readonly first: number
  /** Of the newest message there has ever been; 0: none. */
  readonly last: number
  /** There are now. */
  readonly messages: number
}

/** A message that a stream has. */
export interface StoredMessage {
  /** Its place in the stream, from 1 on. */
  readonly sequence: number
  /** The payload, the receiver's own. */
  readonly data: Uint8Array
}

/** Of `Streams.publish`. */
export interface PublishOptions {
  /** Stored only where this is the stream's last sequence. Default: in any case. */
  readonly expectedLast?: number
}

/**
 * - `stored`: it is in the stream, at `sequence`
 * - `refused`: another sequence is the last one; it is not in the stream, or was stored by an earlier try
 * - `full`: the stream or the account has no space for it; it is not in the stream
 */
export type Published =
  | { readonly type: 'stored'; readonly sequence: number }
  | { readonly type: 'refused' }
  | { readonly type: 'full'; readonly reason: string }

/**
 * Streams of a JetStream server. Every call is answered, or rejects with IO_FAILED within a bounded time: then it may have
 * happened, may happen later, or never. It rejects with CLOSED at once where the connection is closed for good.
 */
export interface Streams {
  /** Of one message, in bytes. */
  readonly payloadBytesMax: number
  /** As long as nothing was ever answered: how long that may last, in milliseconds. Undefined: something was. */
  readonly openMs?: number | undefined
  /** CLOSED: nothing will ever be answered any more, and nothing is sent from now on. Undefined: it may. */
  readonly ended?: VarveError | undefined
  /**
   * Makes the stream where there is none.
   *
   * @throws {VarveError} INCOMPATIBLE — there is one that would lose messages or keep them less safely
   */
  ensure(settings: StreamSettings): Promise<StreamState>
  /** Undefined: there is none. */
  state(stream: string): Promise<StreamState | undefined>
  /** Stores one message. @param payload borrowed until it has settled */
  publish(stream: string, subject: string, payload: Uint8Array, options?: PublishOptions): Promise<Published>
  /** Undefined: it is not there, or not yet on the server that answers. */
  message(stream: string, sequence: number): Promise<StoredMessage | undefined>
  /** Visits messages `first` … `last`, in order; those that are not there any more are left out. */
  read(stream: string, first: number, last: number, visit: (message: StoredMessage) => void): Promise<void>
  /** Removes messages before `sequence`. */
  purge(stream: string, sequence: number): Promise<void>
}

/** One delivery of a message of a work queue. Whoever has it settles it. */
export interface Delivery {
  /** The payload, the receiver's own. */
  readonly data: Uint8Array
  /** How often it has been delivered, this time included. */
  readonly count: number
  /** It is done with, and goes. */
  done(): void
  /** Somebody is still at it: it is not given to another for as long again. */
  renew(): void
  /** It is given to another, now or in `delayMs`. */
  giveBack(delayMs?: number): void
}

/** A stream of which every message is for one of those who pull. */
export interface WorkQueues {
  /** As `Streams.ensure`. */
  ensureQueue(settings: StreamSettings): Promise<void>
  /** Subjects that have messages, those included that were delivered and are not settled. */
  subjects(stream: string, filter: string): Promise<readonly string[]>
  /**
   * How many messages of a subject were delivered and are not settled; they may have been given up. Makes what they are
   * pulled with where there is none: what is not settled within `leaseMs` is given to another.
   */
  delivered(stream: string, subject: string, leaseMs: number): Promise<number>
  /** The next message of a subject, if there is one. Only after `delivered`. */
  next(stream: string, subject: string): Promise<Delivery | undefined>
  /** Removes a message, whoever has it. False: it is not there. */
  remove(stream: string, sequence: number): Promise<boolean>
}

/** Messages that are for those who listen now, and asked for an answer. */
export interface Mailbox {
  /** To be given to whoever may ask. */
  readonly address: string
  /** Nothing is heard any more. Idempotent. */
  close(): void
}

/** Messages between those who are connected: nothing is stored, and what nobody hears is lost. */
export interface Mail {
  /** Of one message, in bytes. */
  readonly bytesMax: number
  /** Listens; what `answer` returns goes back to whoever asks. @param address default: one that nobody else has */
  open(answer: (data: Uint8Array) => Uint8Array | undefined, address?: string): Mailbox
  /** @throws {VarveError} IO_FAILED — nobody is there, or nobody has answered in time */
  ask(address: string, data: Uint8Array): Promise<Uint8Array>
  /** Wakes those who listen to `subject`. */
  tell(subject: string): void
  /** Calls `hear` whenever somebody tells `subject`. What is told while the connection is lost is not heard. */
  listen(subject: string, hear: () => void): Mailbox
}
