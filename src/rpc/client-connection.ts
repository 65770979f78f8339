/**
 * The client's end of one connection: calls out, answers in.
 *
 * Calls wait in order while too many, or too large ones, are unanswered. A call that its caller has given up goes on
 * counting until the server has answered: so much it may still be holding for it.
 */

import { onAbort } from '../kernel/abort-listener.ts'
import type { Timer } from '../kernel/clock.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { serviceError, unanswered } from './call-error.ts'
import { FrameChannel } from './frame-channel.ts'
import type { RpcBasis } from './frame-channel.ts'
import type { Frame } from './frame.ts'
import { decodeRefusal, decodeWelcome, encodeHello } from './hello.ts'
import type { Welcome } from './hello.ts'
import { Inbox } from './inbox.ts'
import { MessageCodec } from './message.ts'
import { Outbox } from './outbox.ts'
import type { RpcCall, RpcConnection, RpcReply, Wire } from './rpc.ts'

const NOTHING = new Uint8Array(0)

interface PendingCall {
  readonly id: number
  readonly what: string
  readonly control: Uint8Array
  readonly body: Uint8Array
  readonly effect: boolean
  readonly resolve: (reply: RpcReply) => void
  readonly reject: (error: unknown) => void
  state: 'waiting' | 'sent' | 'given-up'
  timer: Timer | undefined
  unlisten: (() => void) | undefined
}

/**
 * One connection, from its introduction until it is lost or closed. It is not made again: that is `RpcClient`'s part.
 */
export class ClientConnection implements RpcConnection {
  readonly #basis: RpcBasis
  readonly #channel: FrameChannel
  readonly #peer: string
  readonly #outbox: Outbox
  readonly #inbox = new Inbox()
  readonly #codec = new MessageCodec()
  readonly #calls = new Map<number, PendingCall>()
  readonly #waiting: PendingCall[] = []
  #welcome: Welcome = { inFlightBytesMax: 0, callsMax: 0 }
  #greeted: { resolve(): void; reject(error: unknown): void } | undefined
  #inFlightBytes = 0
  #callNext = 1
  #deadReason: string | undefined

  private constructor(wire: Wire, basis: RpcBasis) {
    this.#basis = basis
    this.#peer = wire.peer
    this.#channel = new FrameChannel(wire, 'client', basis, {
      frame: (frame) => this.#receive(frame),
      drained: () => this.#outbox.pump(),
      ended: (reason) => this.#end(reason),
    })
    const { frameBodyBytes, bufferedBytesMax } = basis.settings
    this.#outbox = new Outbox(this.#channel, frameBodyBytes, bufferedBytesMax)
  }

  /**
   * Introduces itself over a new wire.
   *
   * @throws {VarveError} PERMISSION_DENIED, INCOMPATIBLE, BUSY — what the server said; IO_FAILED
   */
  static async open(wire: Wire, token: Uint8Array, basis: RpcBasis): Promise<ClientConnection> {
    const connection = new ClientConnection(wire, basis)
    const { handshakeMs } = basis.settings
    const timer = basis.clock.after(handshakeMs, () => connection.#fail(`no greeting within ${handshakeMs} ms`))
    try {
      await new Promise<void>((resolve, reject) => {
        connection.#greeted = { resolve, reject }
        connection.#channel.send('hello', 0, encodeHello(token))
      })
    } finally {
      timer.cancel()
    }
    return connection
  }

  /** It has not ended. */
  get alive(): boolean {
    return this.#deadReason === undefined
  }

  /** Calls in order of `call`; see `RpcConnection`. */
  call(call: RpcCall): Promise<RpcReply> {
    const { service, method, parameters, body = NOTHING, signal, effect = false } = call
    const what = `${service}.${method}`
    return new Promise<RpcReply>((resolve, reject) => {
      if (this.#deadReason !== undefined) throw unanswered(what, this.#deadReason, false)
      if (signal?.aborted === true) throw aborted(what, signal)
      const { callMs } = this.#basis.settings
      const timeoutMs = call.timeoutMs ?? callMs
      const control = this.#codec.encode([service, method, parameters, timeoutMs])
      const id = this.#callNext
      this.#callNext = id === 0xffff_ffff ? 1 : id + 1
      const pending: PendingCall = {
        id,
        what,
        control,
        body,
        effect,
        resolve,
        reject,
        state: 'waiting',
        timer: undefined,
        unlisten: undefined,
      }
      if (timeoutMs > 0) {
        pending.timer = this.#basis.clock.after(timeoutMs, () =>
          this.#giveUp(pending, (sent) => unanswered(what, `no answer within ${timeoutMs} ms`, sent && effect)),
        )
      }
      if (signal !== undefined) {
        pending.unlisten = onAbort(signal, () => this.#giveUp(pending, () => aborted(what, signal)))
      }
      this.#calls.set(id, pending)
      this.#waiting.push(pending)
      this.#start()
    })
  }

  /** Calls that are unanswered reject with CLOSED. */
  close(): void {
    for (const pending of this.#calls.values()) {
      this.#settle(pending)
      pending.reject(new VarveError('CLOSED', `${pending.what}: the connection was closed`))
    }
    this.#calls.clear()
    this.#channel.send('bye', 0, NOTHING)
    this.#channel.end()
    this.#end('it was closed')
  }

  /** Sends what may be sent. */
  #start(): void {
    for (;;) {
      const pending = this.#waiting[0]
      if (pending === undefined) return
      const bytes = sizeOf(pending)
      const { inFlightBytesMax, callsMax } = this.#welcome
      const alone = this.#inFlightBytes === 0
      const sentCount = this.#calls.size - this.#waiting.length
      if (!alone && this.#inFlightBytes + bytes > inFlightBytesMax) return
      if (sentCount >= callsMax) return
      this.#waiting.shift()
      pending.state = 'sent'
      this.#inFlightBytes += bytes
      const { id, control, body } = pending
      this.#outbox.push({ kind: 'request', call: id, control, body })
    }
  }

  /** @param reason given whether anything of it may have reached the server */
  #giveUp(pending: PendingCall, reason: (sent: boolean) => Error): void {
    if (!this.#calls.has(pending.id) || pending.state === 'given-up') return
    const taken = pending.state === 'waiting' ? 'unbegun' : this.#outbox.take(pending.id)
    if (taken !== undefined) {
      const at = this.#waiting.indexOf(pending)
      if (at >= 0) this.#waiting.splice(at, 1)
      else this.#inFlightBytes -= sizeOf(pending)
      this.#calls.delete(pending.id)
      if (taken === 'begun') this.#channel.send('cancel', pending.id, NOTHING)
      this.#settle(pending)
      pending.reject(reason(false))
      this.#start()
      return
    }
    pending.state = 'given-up'
    this.#settle(pending)
    this.#channel.send('cancel', pending.id, NOTHING)
    pending.reject(reason(true))
  }

  #settle(pending: PendingCall): void {
    pending.timer?.cancel()
    pending.unlisten?.()
  }

  #receive(frame: Frame): void {
    if (this.#greeted !== undefined) {
      this.#greet(frame)
      return
    }
    if (frame.kind === 'bye') {
      this.#fail('the server is closing')
      return
    }
    if (frame.kind !== 'answer' && frame.kind !== 'failure') {
      this.#fail(`the server sent a ${frame.kind}`)
      return
    }
    const message = this.#inbox.add(frame)
    if (message === undefined) return
    if (typeof message === 'string') {
      this.#fail(message)
      return
    }
    const pending = this.#calls.get(message.call)
    const decoded = this.#codec.decode(message.control)
    if (pending === undefined || pending.state === 'waiting' || decoded === undefined) {
      this.#fail('the server answered what was not asked, or with what is no message')
      return
    }
    this.#calls.delete(pending.id)
    this.#inFlightBytes -= sizeOf(pending)
    if (pending.state === 'sent') {
      this.#settle(pending)
      if (message.kind === 'answer') pending.resolve({ value: decoded.value, body: message.body })
      else pending.reject(failureOf(pending, serviceError(decoded.value)))
    }
    this.#start()
  }

  #greet(frame: Frame): void {
    const greeted = this.#greeted
    try {
      if (frame.kind === 'refused') throw decodeRefusal(frame.control)
      if (frame.kind !== 'welcome') throw unanswered('connect', `${this.#peer}: the server sent a ${frame.kind}`, false)
      this.#welcome = decodeWelcome(frame.control)
    } catch (error) {
      this.#greeted = undefined
      greeted?.reject(error)
      this.#fail('the server refused')
      return
    }
    this.#greeted = undefined
    this.#channel.trust()
    greeted?.resolve()
  }

  #fail(reason: string): void {
    this.#channel.fail(reason)
  }

  #end(reason: string): void {
    if (this.#deadReason !== undefined) return
    this.#deadReason = reason
    this.#greeted?.reject(unanswered('connect', `${this.#peer}: ${reason}`, false))
    this.#greeted = undefined
    for (const pending of this.#calls.values()) {
      if (pending.state === 'given-up') continue
      this.#settle(pending)
      const sent = pending.state === 'sent' && this.#outbox.take(pending.id) === undefined
      pending.reject(unanswered(pending.what, reason, sent && pending.effect))
    }
    this.#calls.clear()
    this.#waiting.length = 0
  }
}

/** What a service has given up though its caller has not: their time was up there first, which says what silence says. */
function failureOf({ what, effect }: PendingCall, error: Error): Error {
  return isCode(error, 'ABORTED') ? unanswered(what, error.message, effect, error) : error
}

function sizeOf({ control, body }: PendingCall): number {
  return control.length + body.length
}

function aborted(what: string, signal: AbortSignal): VarveError {
  return new VarveError('ABORTED', `${what} was aborted`, { cause: signal.reason })
}
