/**
 * Streams in this process, with the faults of those that are elsewhere: answers that are lost, messages that arrive after
 * their sender has given up, servers that lag behind, connections that are cut.
 */

import { VarveError } from '../../src/kernel/errors.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type {
  PublishOptions,
  Published,
  StoredMessage,
  StreamSettings,
  StreamState,
  Streams,
} from '../../src/nats/nats.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'

interface Stored {
  readonly created: string
  first: number
  last: number
  readonly messages: Map<number, Uint8Array>
}

/** What a server has, whoever asks. */
export class SimulatedServer {
  readonly streams = new Map<string, Stored>()
  /** Messages of all streams together; with as many, none is taken. */
  messagesMax = Infinity
  #made = 0

  make(name: string): Stored {
    const stream = { created: `made ${++this.#made}`, first: 1, last: 0, messages: new Map<number, Uint8Array>() }
    this.streams.set(name, stream)
    return stream
  }

  get count(): number {
    let count = 0
    for (const { messages } of this.streams.values()) count += messages.size
    return count
  }

  store(name: string, payload: Uint8Array, { expectedLast }: PublishOptions = {}): Published {
    const stream = this.streams.get(name)
    if (stream === undefined) throw unanswered('no such stream')
    if (expectedLast !== undefined && expectedLast !== stream.last) return { type: 'refused' }
    if (this.count >= this.messagesMax) return { type: 'full', reason: 'maximum messages exceeded' }
    stream.messages.set(++stream.last, payload.slice())
    return { type: 'stored', sequence: stream.last }
  }
}

/** One call in so many; Infinity: never. */
export interface StreamFaults {
  /** It happens, and nobody hears of it. */
  readonly answerLost: number
  /** It does not happen. */
  readonly lost: number
  /** It has not happened when its sender gives up, and happens later. */
  readonly late: number
  /** A message that is there is not found. */
  readonly lags: number
}

export const NO_FAULTS: StreamFaults = { answerLost: Infinity, lost: Infinity, late: Infinity, lags: Infinity }

export interface SimulatedStreamsOptions {
  readonly server: SimulatedServer
  readonly random: SeededRandom
  readonly clock: Clock
  readonly payloadBytesMax?: number
  readonly faults?: StreamFaults
}

/** One connection. What is published over it arrives in order. */
export class SimulatedStreams implements Streams {
  readonly payloadBytesMax: number
  readonly #options: SimulatedStreamsOptions
  faults: StreamFaults
  /** Nothing gets through. */
  cut = false
  /** The connection is closed for good. */
  ended: VarveError | undefined
  /** Sees every message before the server does. */
  before: ((payload: Uint8Array) => void) | undefined
  #line: Promise<unknown> = Promise.resolve()

  constructor(options: SimulatedStreamsOptions) {
    this.#options = options
    this.payloadBytesMax = options.payloadBytesMax ?? 100_000
    this.faults = options.faults ?? NO_FAULTS
  }

  async ensure({ name }: StreamSettings): Promise<StreamState> {
    return this.#call(() => stateOf(this.#options.server.streams.get(name) ?? this.#options.server.make(name)))
  }

  async state(stream: string): Promise<StreamState | undefined> {
    return this.#call(() => {
      const found = this.#options.server.streams.get(stream)
      return found === undefined ? undefined : stateOf(found)
    })
  }

  async publish(
    stream: string,
    _subject: string,
    payload: Uint8Array,
    options: PublishOptions = {},
  ): Promise<Published> {
    const { server } = this.#options
    const content = payload.slice()
    if (this.ended !== undefined) throw this.ended
    if (this.#happens('late')) {
      void this.#turns(1 + this.#options.random.below(30)).then(() => {
        this.before?.(content)
        return server.store(stream, content, options)
      })
      await this.#turns(1)
      throw unanswered('it comes late')
    }
    return this.#call(() => {
      this.before?.(content)
      return server.store(stream, content, options)
    })
  }

  async message(stream: string, sequence: number): Promise<StoredMessage | undefined> {
    return this.#call(() => {
      const data = this.#options.server.streams.get(stream)?.messages.get(sequence)
      return data === undefined || this.#happens('lags') ? undefined : { sequence, data: data.slice() }
    })
  }

  async read(stream: string, first: number, last: number, visit: (message: StoredMessage) => void): Promise<void> {
    const messages = await this.#call(() => this.#options.server.streams.get(stream)?.messages)
    for (let sequence = first; sequence <= last; sequence++) {
      const data = messages?.get(sequence)
      if (data !== undefined) visit({ sequence, data: data.slice() })
    }
  }

  async purge(stream: string, sequence: number): Promise<void> {
    await this.#call(() => {
      const found = this.#options.server.streams.get(stream)
      if (found === undefined) return
      for (const each of found.messages.keys()) if (each < sequence) found.messages.delete(each)
      found.first = Math.max(found.first, Math.min(sequence, found.last + 1))
    })
  }

  #happens(fault: keyof StreamFaults): boolean {
    const onceIn = this.faults[fault]
    return onceIn !== Infinity && this.#options.random.once(onceIn)
  }

  /** In order of calls, as on one connection. */
  async #call<Answer>(happen: () => Answer): Promise<Answer> {
    if (this.ended !== undefined) throw this.ended
    const lost = this.#happens('lost')
    const answerLost = this.#happens('answerLost')
    const turn = this.#line.then(async () => {
      await this.#turns(1)
      if (lost || this.cut) return undefined
      return { answer: happen() }
    })
    this.#line = turn.catch(() => undefined)
    const done = await turn
    if (done === undefined || answerLost) throw unanswered(done === undefined ? 'it was lost' : 'the answer was lost')
    return done.answer
  }

  async #turns(count: number): Promise<void> {
    for (let left = this.#options.random.below(count + 1); left > 0; left--) await this.#options.clock.turn()
  }
}

function stateOf({ created, first, last, messages }: Stored): StreamState {
  return { created, first, last, messages: messages.size }
}

function unanswered(reason: string): VarveError {
  return new VarveError('IO_FAILED', `injected: ${reason}`, { details: { operation: 'request', path: 'nats' } })
}
