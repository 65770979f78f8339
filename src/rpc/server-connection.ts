/**
 * The server's end of one connection: a stranger until it has shown what it may do, a peer with sessions after that.
 *
 *      stranger ──hello──► peer ──request──► session.call ──► answer
 *          └── refused, or cut off: too slow, too much, anything but a hello
 *
 * A peer that reads its answers too slowly is not read from either. One that sends more at a time than it was told it may
 * is cut off.
 */

import type { Timer } from '../kernel/clock.ts'
import { encodeError } from '../kernel/error-wire.ts'
import { VarveError } from '../kernel/errors.ts'
import { checkExpiry, denied, digestOf, sameRights } from './access.ts'
import type { Access } from './access.ts'
import { FrameChannel } from './frame-channel.ts'
import type { RpcBasis } from './frame-channel.ts'
import type { Frame } from './frame.ts'
import { decodeHello, encodeRefusal, encodeWelcome } from './hello.ts'
import { Inbox } from './inbox.ts'
import type { IncomingMessage } from './inbox.ts'
import { MessageCodec } from './message.ts'
import { Outbox } from './outbox.ts'
import type { Peer, RpcAnswer, RpcRequest, RpcService, RpcSession, Wire } from './rpc.ts'
import { RunningRequest } from './running-request.ts'

export interface ServerConnectionHost extends RpcBasis {
  readonly services: ReadonlyMap<string, RpcService>
  /** As it is now. */
  readonly access: Access
  authenticated(connection: ServerConnection): void
  ended(connection: ServerConnection): void
}

interface RunningCall {
  readonly request: RunningRequest
  readonly timer: Timer | undefined
  readonly bytes: number
}

const NOTHING = new Uint8Array(0)

// A sync takes so long on a slow disk; what takes longer waits for something that may not come.
const DRAIN_MS_MAX = 5_000

export class ServerConnection {
  readonly #host: ServerConnectionHost
  readonly #wire: Wire
  readonly #channel: FrameChannel
  readonly #outbox: Outbox
  readonly #inbox = new Inbox()
  readonly #codec = new MessageCodec()
  readonly #sessions = new Map<string, RpcSession>()
  readonly #calls = new Map<number, RunningCall>()
  #callBytes = 0
  #handshake: Timer | undefined
  #peer: Peer | undefined
  /** Of the token that was shown. */
  #digest: Uint8Array = NOTHING
  #paused = false
  #closing = false
  #ended = false
  #closed: Promise<void> | undefined
  #idle: (() => void)[] = []

  constructor(wire: Wire, host: ServerConnectionHost) {
    this.#wire = wire
    this.#host = host
    const { frameBodyBytes, bufferedBytesMax, handshakeMs } = host.settings
    this.#channel = new FrameChannel(wire, 'server', host, {
      frame: (frame) => this.#receive(frame),
      drained: () => this.#drained(),
      ended: () => this.#end(),
    })
    this.#outbox = new Outbox(this.#channel, frameBodyBytes, bufferedBytesMax)
    this.#handshake = host.clock.after(handshakeMs, () => this.cut(`no hello within ${handshakeMs} ms`))
  }

  /** Ends at once. */
  cut(reason: string): void {
    this.#channel.fail(reason)
  }

  /** Takes no further call, answers those there are, as far as that is a matter of seconds, and ends. Resolves when its sessions are closed. */
  async close(): Promise<void> {
    this.#closing = true
    this.#channel.pause()
    if (this.#calls.size > 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        const timer = this.#host.clock.after(DRAIN_MS_MAX, resolve, { keepAlive: true })
        this.#idle.push(() => {
          timer.cancel()
          resolve()
        })
      })
    }
    this.#channel.send('bye', 0, NOTHING)
    this.#channel.end()
    this.#end()
    await this.#closed
  }

  /** There are other rules: ends at once where they give it other rights, or none. False: it has ended. */
  review(): boolean {
    const peer = this.#peer
    if (peer === undefined || this.#ended) return true
    try {
      const { access, clock } = this.#host
      const grant = access.grantOf(this.#wire, this.#digest, clock.now())
      if (sameRights(grant, peer.grant)) {
        this.#peer = Object.freeze({ ...peer, grant })
        return true
      }
      this.cut('there are other rules: it has other rights')
    } catch (error) {
      this.cut(`there are other rules: ${String(error)}`)
    }
    return false
  }

  #receive(frame: Frame): void {
    if (this.#closing) return
    if (this.#peer === undefined) {
      this.#greet(frame)
      return
    }
    if (frame.kind === 'cancel') {
      this.#inbox.drop(frame.call)
      this.#calls.get(frame.call)?.request.abort(new VarveError('ABORTED', 'the caller has cancelled'))
      return
    }
    if (frame.kind === 'bye') {
      this.#channel.end()
      this.#end()
      return
    }
    if (frame.kind !== 'request') {
      this.cut(`a client sent a ${frame.kind}`)
      return
    }
    const message = this.#inbox.add(frame)
    if (typeof message === 'string') {
      this.cut(message)
      return
    }
    const { inFlightBytesMax, callsMax } = this.#host.settings
    const callCount = this.#calls.size + this.#inbox.count + (message === undefined ? 0 : 1)
    const bytes = this.#callBytes + this.#inbox.bytes + (message === undefined ? 0 : sizeOf(message))
    // One that is larger than everything together may be, goes alone.
    if (bytes > inFlightBytesMax && callCount > 1) {
      this.cut('more bytes in flight than were allowed')
      return
    }
    if (callCount > callsMax || (message !== undefined && this.#calls.has(message.call))) {
      this.cut('more calls than were allowed, or one of them twice')
      return
    }
    if (message !== undefined) this.#run(message)
  }

  #greet(frame: Frame): void {
    try {
      if (frame.kind !== 'hello') throw denied('say hello first')
      this.#digest = digestOf(decodeHello(frame.control))
      const grant = this.#host.access.grantOf(this.#wire, this.#digest, this.#host.clock.now())
      this.#peer = Object.freeze({ grant, address: this.#wire.peer })
    } catch (error) {
      if (error instanceof VarveError) this.#channel.send('refused', 0, encodeRefusal(error))
      this.#channel.end()
      this.#end()
      return
    }
    this.#handshake?.cancel()
    this.#handshake = undefined
    this.#channel.trust()
    this.#channel.send('welcome', 0, encodeWelcome(this.#host.settings))
    this.#host.authenticated(this)
  }

  #run(message: IncomingMessage): void {
    const decoded = this.#codec.decode(message.control)
    if (decoded === undefined || !isRequest(decoded.value)) {
      this.cut('a request is no message')
      return
    }
    const [service, method, parameters, timeoutMs] = decoded.value
    const request = new RunningRequest(method, parameters, message.body)
    const expire = (): void => request.abort(new VarveError('ABORTED', `the caller’s ${timeoutMs} ms have passed`))
    const call: RunningCall = {
      request,
      timer: timeoutMs > 0 ? this.#host.clock.after(timeoutMs, expire) : undefined,
      bytes: sizeOf(message),
    }
    this.#calls.set(message.call, call)
    this.#callBytes += call.bytes
    const answered = this.#ask(service, request)
    void answered.then(
      (answer) => this.#answer(message.call, call, answer),
      (error: unknown) => this.#refuse(message.call, call, error),
    )
  }

  // Asynchronous, so that what a session throws is a rejection; it begins at once, so that order is kept.
  async #ask(name: string, request: RpcRequest): Promise<RpcAnswer> {
    if (this.#peer !== undefined) checkExpiry(this.#peer.grant, this.#host.clock.now())
    return await this.#session(name).call(request)
  }

  #session(name: string): RpcSession {
    const there = this.#sessions.get(name)
    if (there !== undefined) return there
    const service = this.#host.services.get(name)
    const peer = this.#peer
    if (service === undefined || peer === undefined) {
      throw new VarveError('UNSUPPORTED', `nothing offers ${name} here`, { details: { capability: name } })
    }
    if (!service.roles.some((role) => peer.grant.roles.includes(role)))
      throw denied(`${peer.grant.name} may not use ${name}`)
    const session = service.openSession(peer)
    this.#sessions.set(name, session)
    return session
  }

  #answer(id: number, call: RunningCall, { value, body = NOTHING }: RpcAnswer): void {
    let control: Uint8Array
    try {
      control = value === undefined ? NOTHING : this.#codec.encode(value)
    } catch (error) {
      this.#refuse(id, call, error)
      return
    }
    this.#settle(id, call, () => this.#outbox.push({ kind: 'answer', call: id, control, body }))
  }

  #refuse(id: number, call: RunningCall, error: unknown): void {
    // Where it was thrown is our business alone.
    const { stack: _stack, ...wire } = encodeError(error)
    const control = this.#codec.encode(wire)
    this.#settle(id, call, () => this.#outbox.push({ kind: 'failure', call: id, control, body: NOTHING }))
  }

  #settle(id: number, call: RunningCall, send: () => void): void {
    call.timer?.cancel()
    this.#calls.delete(id)
    this.#callBytes -= call.bytes
    if (this.#ended) return
    send()
    if (!this.#paused && this.#outbox.waitingBytes > this.#host.settings.inFlightBytesMax) {
      this.#paused = true
      this.#channel.pause()
    }
    if (this.#calls.size === 0) for (const wake of this.#idle.splice(0)) wake()
  }

  #drained(): void {
    this.#outbox.pump()
    if (!this.#paused || this.#outbox.waitingBytes > 0 || this.#closing) return
    this.#paused = false
    this.#channel.resume()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#handshake?.cancel()
    const gone = new VarveError('ABORTED', 'the caller has gone')
    for (const { request, timer } of this.#calls.values()) {
      timer?.cancel()
      request.abort(gone)
    }
    for (const wake of this.#idle.splice(0)) wake()
    this.#closed = this.#closeSessions()
    this.#host.ended(this)
  }

  async #closeSessions(): Promise<void> {
    await Promise.allSettled(Array.from(this.#sessions.values(), (session) => session.close()))
  }

  /** Resolves when the sessions of a connection that has ended are closed. */
  get closed(): Promise<void> {
    return this.#closed ?? Promise.resolve()
  }
}

function sizeOf({ control, body }: IncomingMessage): number {
  return control.length + body.length
}

function isRequest(value: unknown): value is [string, string, unknown[], number] {
  if (!Array.isArray(value) || value.length !== 4) return false
  const [service, method, parameters, timeoutMs] = value as unknown[]
  if (typeof service !== 'string' || typeof method !== 'string' || !Array.isArray(parameters)) return false
  return typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= Number.MAX_SAFE_INTEGER
}
