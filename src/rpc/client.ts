/**
 * A client: one connection at a time to one server, made when it is needed and made again when it is lost.
 *
 * A call without effect is made again, on another connection, until its time is up. One with an effect is not: whether it
 * has happened is for whoever knows what it means to find out.
 */

import { onAbort } from '../kernel/abort-listener.ts'
import { abortable } from '../kernel/abortable.ts'
import type { Clock } from '../kernel/clock.ts'
import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Random } from '../kernel/random.ts'
import { isUnanswered, unanswered } from './call-error.ts'
import { ClientConnection } from './client-connection.ts'
import type { RpcBasis } from './frame-channel.ts'
import type { Dial, RpcCall, RpcReply, Wire } from './rpc.ts'
import { resolveRpcSettings } from './settings.ts'
import type { RpcSettings } from './settings.ts'

/** Which server, as whom, and how patiently. */
export interface RpcClientOptions {
  /** Makes a connection, each time one is needed. */
  readonly dial: Dial
  /** Measures patience and silence. */
  readonly clock: Clock
  /** Checksums of frames. */
  readonly hash: Hash
  /** Spreads attempts of many clients to come back. */
  readonly random: Random
  /** Shown to the server. A function is asked for each connection. Default: none. */
  readonly token?: string | (() => string | Promise<string>)
  /** Default, each: that of `RPC_DEFAULTS`. */
  readonly settings?: Partial<RpcSettings>
}

// Long enough for a server to notice that its former owner of the port has gone; doubles up to a second.
const RETRY_DELAY_MS = 20
const RETRY_DELAY_MS_MAX = 1_000

/** A server, as those who call it see it. Several parts may share one; whoever made it closes it after them. */
export class RpcClient {
  readonly #basis: RpcBasis
  readonly #dial: Dial
  readonly #random: Random
  readonly #token: () => string | Promise<string>
  /** Called when the client closes. */
  readonly #onClose = new Set<() => void>()
  #closed = false
  /** It was connected once. */
  #met = false
  #connection: ClientConnection | undefined
  #connecting: Promise<ClientConnection> | undefined
  /** When the server was found to be away, by the clock; undefined: it is there, as far as is known. */
  #awaySinceMs: number | undefined

  constructor({ dial, clock, hash, random, token = '', settings }: RpcClientOptions) {
    this.#dial = dial
    this.#random = random
    this.#basis = { clock, hash, settings: resolveRpcSettings(settings) }
    this.#token = typeof token === 'string' ? () => token : token
  }

  /** As they are in force, complete. */
  get settings(): RpcSettings {
    return this.#basis.settings
  }

  /** As given. */
  get clock(): Clock {
    return this.#basis.clock
  }

  /** As given. */
  get random(): Random {
    return this.#random
  }

  /** As given. */
  get hash(): Hash {
    return this.#basis.hash
  }

  /**
   * The connection there is, or a new one: for calls that belong together.
   *
   * @throws {VarveError} IO_FAILED, PERMISSION_DENIED, INCOMPATIBLE, CLOSED
   */
  connection(): Promise<ClientConnection> {
    if (this.#closed) return Promise.reject(closed())
    if (this.#connection?.alive === true) return Promise.resolve(this.#connection)
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined))
    return this.#connecting
  }

  /** As `RpcConnection.call`, on whatever connection there is. */
  async call(call: RpcCall): Promise<RpcReply> {
    return this.retry(call, async (connection, timeoutMs) => connection.call({ ...call, timeoutMs }))
  }

  /**
   * Does `work` on a connection, and where that is lost again on another, until the time is up. The time that the server has
   * been away already counts: of several calls that come after one another only the first waits for it, the others try once.
   *
   * @param work may be done several times, unless it fails with OUTCOME_UNKNOWN
   */
  async retry<T>(
    { signal, timeoutMs }: Pick<RpcCall, 'signal' | 'timeoutMs'>,
    work: (connection: ClientConnection, timeoutMs: number) => Promise<T>,
  ): Promise<T> {
    const { clock, settings } = this.#basis
    const allowedMs = timeoutMs ?? settings.callMs
    const sinceMs = clock.monotonic()
    const deadline = allowedMs === 0 ? Infinity : sinceMs + allowedMs
    for (let attempt = 0; ; attempt++) {
      throwIfAborted(signal)
      try {
        // Others may be waiting for the same connection.
        const connecting = this.connection()
        const connection = await (signal === undefined ? connecting : abortable(connecting, signal))
        const leftMs = deadline - clock.monotonic()
        return await work(connection, leftMs === Infinity ? 0 : Math.max(1, Math.ceil(leftMs)))
      } catch (error) {
        if (!isUnanswered(error) || !isCode(error, 'IO_FAILED')) throw error
        const delayMs = this.#delayMs(attempt)
        const patient = this.#met || allowedMs === 0
        const awayMs = (this.#awaySinceMs ?? sinceMs) - sinceMs
        const giveUpMs = patient ? deadline + Math.min(0, awayMs) : Math.min(deadline, sinceMs + settings.openMs)
        if (clock.monotonic() + delayMs >= giveUpMs) throw this.#met ? error : neverMet(error)
        await this.#pause(delayMs, signal)
      }
    }
  }

  /** Calls that are unanswered reject with CLOSED. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    for (const wake of this.#onClose) wake()
    const connecting = this.#connecting
    this.#connection?.close()
    this.#connection = undefined
    await connecting?.catch(() => undefined)
  }

  async #connect(): Promise<ClientConnection> {
    const { clock, settings } = this.#basis
    const sinceMs = clock.monotonic()
    const dialling = new AbortController()
    const timer = clock.after(settings.handshakeMs, () => dialling.abort(), { keepAlive: true })
    const stop = (): void => dialling.abort()
    this.#onClose.add(stop)
    try {
      const wire = await this.#wire(dialling.signal)
      const connection = await ClientConnection.open(
        wire,
        new TextEncoder().encode(await this.#shown(wire)),
        this.#basis,
      )
      if (this.#closed) {
        connection.close()
        throw closed()
      }
      this.#connection = connection
      this.#met = true
      this.#awaySinceMs = undefined
      return connection
    } catch (error) {
      this.#awaySinceMs ??= sinceMs
      throw this.#closed ? closed() : error
    } finally {
      this.#onClose.delete(stop)
      timer.cancel()
    }
  }

  /** The token as it is now. */
  async #shown(wire: Wire): Promise<string> {
    try {
      return await this.#token()
    } catch (error) {
      wire.destroy()
      throw unanswered('connect', `no token: ${(error as Error).message}`, false, error)
    }
  }

  async #wire(signal: AbortSignal): Promise<Wire> {
    try {
      return await this.#dial(signal)
    } catch (error) {
      if (error instanceof VarveError && !isCode(error, 'IO_FAILED', 'ABORTED')) throw error
      // One that was trusted before is perhaps being replaced.
      if (!this.#met && isCode(error, 'IO_FAILED') && error.details['certificate'] === true) throw distrusted(error)
      throw unanswered('connect', (error as Error).message, false, error)
    }
  }

  /** Twice as long after each attempt, and anywhere in the upper half of that. */
  #delayMs(attempt: number): number {
    const most = Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS * 2 ** Math.min(attempt, 10))
    return most / 2 + ((most / 2) * this.#random.u32()) / 2 ** 32
  }

  /** Ends early where the client is closed or the caller has had enough. */
  async #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#onClose.delete(wake)
        unlisten?.()
        resolve()
      }
      const timer = this.#basis.clock.after(delayMs, wake, { keepAlive: true })
      this.#onClose.add(wake)
      const unlisten = signal === undefined ? undefined : onAbort(signal, wake)
    })
  }
}

/** Nobody was ever there: perhaps nobody is meant to be. */
function neverMet(error: VarveError): VarveError {
  const { message, details } = error
  return new VarveError('IO_FAILED', `${message}; is the address right, and is a varve server there? (openMs)`, {
    details,
    cause: error,
  })
}

/** What to do about a certificate of a server, by what Node says of it. */
const CERTIFICATE_WAYS_OUT: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'renew it and have the server read it (SIGHUP, for `varve serve`), or set the clock here',
  CERT_NOT_YET_VALID: 'set the clock, here or where it was made',
  ERR_TLS_CERT_ALTNAME_INVALID: 'dial the server by a name that its certificate has',
}

function distrusted(error: VarveError): VarveError {
  const { message, details, cause } = error
  const code = (cause as { readonly code?: unknown } | undefined)?.code
  const known = typeof code === 'string' && Object.hasOwn(CERTIFICATE_WAYS_OUT, code)
  const wayOut = known ? CERTIFICATE_WAYS_OUT[code] : "give `authorities` that have signed the server's certificate"
  return new VarveError('PERMISSION_DENIED', `${message}: ${wayOut}`, { details, cause: error })
}

function closed(): VarveError {
  return new VarveError('CLOSED', 'the client is closed')
}
