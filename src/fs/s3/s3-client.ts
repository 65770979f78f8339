/**
 * Requests to one bucket of an S3-compatible store: signed, counted, limited in time and made again where they fail in
 * passing.
 *
 * Everything it makes again may happen twice without harm: reads, removals, parts of uploads. Writes with a condition
 * are not of that kind, and go through `ConditionalWrite`, which makes one attempt after the other itself.
 *
 * Delays are "full jitter" (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): anything up to
 * a bound that doubles, so that those who failed together do not come back together.
 */

import { createHash } from 'node:crypto'
import { onAbort } from '../../kernel/abort-listener.ts'
import { VarveError, isCode, throwIfAborted } from '../../kernel/errors.ts'
import type { Clock } from '../../kernel/clock.ts'
import { MIB } from '../../kernel/limits.ts'
import type { Random } from '../../kernel/random.ts'
import { answerCode, answerError, isPassing } from './answer-error.ts'
import type { HttpMethod, HttpResponse, HttpTransport } from './http.ts'
import { NodeHttpTransport } from './node-http-transport.ts'
import type { S3Request } from './s3-request.ts'
import { resolveS3Settings } from './settings.ts'
import type { S3Settings } from './settings.ts'
import { encodePath, encodeQuery, signedHeaders } from './signature.ts'
import type { S3Credentials } from './signature.ts'
import { UsageMeter } from './usage.ts'
import type { S3RequestKind, S3Usage } from './usage.ts'

/** Which bucket, as whom, and how patiently. */
export interface S3ClientOptions {
  /** For instance `https://s3.eu-central-1.amazonaws.com` or `http://127.0.0.1:7480`. */
  readonly endpoint: string
  /** Its name: 3 … 63 of lower-case letters, digits, `-` and `.`. */
  readonly bucket: string
  /** Begins the key of every object: for several that share a bucket. Letters, digits, `-`, `_`, `.` and `/`. Default none. */
  readonly prefix?: string
  /** Default `us-east-1`, which stores without regions take. */
  readonly region?: string
  /** Where they change, a function, asked before every attempt. */
  readonly credentials: S3Credentials | (() => Promise<S3Credentials>)
  /** Where the bucket is named: in the path, which every store takes, or in the host. Default `path`. */
  readonly addressing?: 'path' | 'host'
  /** Dates requests, and measures attempts and delays. */
  readonly clock: Clock
  /** Spreads delays. */
  readonly random: Random
  /** Default, each: that of `S3_DEFAULTS`. */
  readonly settings?: Partial<S3Settings>
  /** Default: Node's sockets. Closed by `close`. */
  readonly transport?: HttpTransport
}

const EMPTY = new Uint8Array(0)
const EMPTY_DIGEST = createHash('sha256').digest('hex')
const PREFIX = /^[A-Za-z0-9._/-]*$/
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** A bucket, and the one place that talks to it. Several stores may share one; whoever made it closes it after them. */
export class S3Client {
  /** As they are in force, complete. */
  readonly settings: S3Settings
  /** For errors: which one, and where. */
  readonly bucket: string
  /** Begins the key of every object; may be empty. */
  readonly prefix: string
  /** As given. */
  readonly clock: Clock
  /** As given. */
  readonly random: Random
  readonly #origin: string
  readonly #host: string
  readonly #root: string
  readonly #region: string
  readonly #credentials: () => Promise<S3Credentials>
  readonly #transport: HttpTransport
  readonly #meter = new UsageMeter()
  /** Ends each thing that is under way: a request, a delay. */
  readonly #endings = new Set<() => void>()
  #closed = false
  #trouble: VarveError | undefined
  /** What the server's clock is ahead of ours, in milliseconds, once it has complained. */
  #aheadMs = 0

  /** @throws {TypeError} a wrong endpoint, bucket, prefix, or no credentials */
  constructor(options: S3ClientOptions) {
    const { endpoint, bucket, prefix = '', region = 'us-east-1', credentials, addressing = 'path' } = options
    if (!URL.canParse(endpoint)) throw new TypeError(`endpoint must be a URL, got ${JSON.stringify(endpoint)}`)
    const url = new URL(endpoint)
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new TypeError(`endpoint must begin with http:// or https://, got ${url.protocol}`)
    if (!BUCKET.test(bucket)) throw new TypeError(`bucket ${JSON.stringify(bucket)} is no name of a bucket`)
    if (!PREFIX.test(prefix) || prefix.startsWith('/') || prefix.split('/').some((part) => /^\.+$/.test(part)))
      throw new TypeError(`prefix ${JSON.stringify(prefix)} must match ${PREFIX.source}, without . and ..`)
    const path = url.pathname.replace(/\/+$/, '')
    this.#host = addressing === 'path' ? url.host : `${bucket}.${url.host}`
    this.#origin = `${url.protocol}//${this.#host}`
    this.#root = addressing === 'path' ? `${path}/${bucket}` : path
    this.bucket = `bucket ${bucket} at ${url.origin}`
    this.#region = region
    if (typeof credentials !== 'function') checkCredentials(credentials)
    this.#credentials = typeof credentials === 'function' ? credentials : () => Promise.resolve(credentials)
    this.settings = resolveS3Settings(options.settings)
    this.prefix = prefix
    this.clock = options.clock
    this.random = options.random
    const { connectionsMax, connectMs, silentMs } = this.settings
    this.#transport = options.transport ?? new NodeHttpTransport({ connectionsMax, connectMs, silentMs })
  }

  /** What has become of the last attempt that failed in passing: for errors of those who will not wait for another. */
  get trouble(): VarveError | undefined {
    return this.#trouble
  }

  /** What was asked so far. */
  get usage(): S3Usage {
    return this.#meter.usage
  }

  /**
   * Makes a request, and makes it again where it fails in passing.
   *
   * @param accepted further answers that are no errors, such as 404
   * @throws {VarveError} IO_FAILED — after `attemptsMax` attempts, or `callMs`; and what the store says: `answerError`
   */
  async request(request: S3Request, accepted: readonly number[] = []): Promise<HttpResponse> {
    const { beganMs = this.clock.monotonic() } = request
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.once(request, attempt)
        if (isSuccess(answer) || accepted.includes(answer.status)) return answer
        if (!isPassing(answer) || this.isLast(attempt, beganMs))
          throw answerError(describe(request), this.bucket, answer)
      } catch (error) {
        if (!isUnanswered(error) || this.isLast(attempt, beganMs)) throw error
      }
      await this.delay(attempt, request.signal)
    }
  }

  /**
   * One attempt. Every answer is returned, whatever it says.
   *
   * @throws {VarveError} IO_FAILED — no answer; `isUnanswered` tells it
   */
  async once(request: S3Request, attempt = 1): Promise<HttpResponse> {
    const answer = await this.#attempt(request, attempt)
    if (isPassing(answer)) this.#trouble = answerError(describe(request), this.bucket, answer)
    if (answer.status !== 403 || answerCode(answer) !== 'RequestTimeTooSkewed') return answer
    const theirs = Date.parse(answer.headers['date'] ?? '')
    if (Number.isNaN(theirs)) return answer
    this.#aheadMs = theirs - this.clock.now()
    return this.#attempt(request, attempt + 1)
  }

  /** Whether no attempt follows this one, of a call that began then: not when timers have fired a little early, either. */
  isLast(attempt: number, beganMs: number): boolean {
    const { attemptsMax, callMs } = this.settings
    return attempt >= attemptsMax || this.clock.monotonic() - beganMs >= callMs * 0.95
  }

  /** Waits before the attempt after the given one, for a random time. */
  async delay(attempt: number, signal?: AbortSignal): Promise<void> {
    const { retryDelayMs, retryDelayMsMax } = this.settings
    const bound = Math.min(retryDelayMs * 2 ** (attempt - 1), retryDelayMsMax)
    this.#check(signal)
    await new Promise<void>((resolve) => {
      const timer = this.clock.after((bound * this.random.u32()) / 2 ** 32, () => done(), { keepAlive: true })
      const stop = this.#onEnd(signal, () => done())
      const done = (): void => {
        timer.cancel()
        stop()
        resolve()
      }
    })
    this.#check(signal)
  }

  /** Idempotent. What is under way fails with CLOSED. */
  close(): Promise<void> {
    this.#closed = true
    for (const end of this.#endings) end()
    return this.#transport.close()
  }

  async #attempt(request: S3Request, attempt: number): Promise<HttpResponse> {
    const { method, key, query = {}, headers = {}, body = EMPTY, signal } = request
    this.#check(signal)
    const path = encodePath(key === '' ? this.#root : `${this.#root}/${this.prefix}${key}`)
    const bodyDigest = request.bodyDigest ?? (body.length === 0 ? EMPTY_DIGEST : sha256(body))
    const asked = encodeQuery(query)
    const giveUp = new AbortController()
    const abort = (): void => giveUp.abort()
    const timer = this.clock.after(this.settings.attemptMs, abort)
    const stop = this.#onEnd(signal, abort)
    try {
      const credentials = await this.#askCredentials(giveUp.signal)
      this.#check(signal)
      const scope = { credentials, region: this.#region, time: this.clock.now() + this.#aheadMs }
      const signed = signedHeaders({ method, host: this.#host, path, query, headers, bodyDigest }, scope)
      this.#meter.sent(request.kind ?? kindOf(method), body.length, attempt)
      const answer = await this.#transport.send({
        method,
        url: `${this.#origin}${path}${asked === '' ? '' : `?${asked}`}`,
        headers: signed,
        body,
        answerBytesMax: request.answerBytesMax ?? 8 * MIB,
        signal: giveUp.signal,
      })
      this.#meter.received(answer.body.length)
      return answer
    } catch (error) {
      // What was aborted is neither late nor broken.
      this.#check(signal)
      if (isUnanswered(error)) this.#trouble = error
      throw error
    } finally {
      timer.cancel()
      stop()
    }
  }

  /** Where it cannot be had now, the attempt counts as one that was not sent. */
  async #askCredentials(giveUp: AbortSignal): Promise<S3Credentials> {
    let credentials: S3Credentials
    let stop: (() => void) | undefined
    const late = new Promise<never>((_, reject) => {
      stop = onAbort(giveUp, () => reject(new Error('the function that has them did not answer in time')))
    })
    try {
      credentials = await Promise.race([this.#credentials(), late])
    } catch (error) {
      if (error instanceof VarveError) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw new VarveError('IO_FAILED', `no credentials for ${this.bucket}: ${reason}`, {
        details: { operation: 'credentials', unsent: true },
        cause: error,
      })
    } finally {
      stop?.()
    }
    checkCredentials(credentials)
    return credentials
  }

  /** Calls `end` when the signal is aborted or the client closed, until what is returned is called. */
  #onEnd(signal: AbortSignal | undefined, end: () => void): () => void {
    const unlisten = signal === undefined ? undefined : onAbort(signal, end)
    this.#endings.add(end)
    return () => {
      unlisten?.()
      this.#endings.delete(end)
    }
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#closed) throw new VarveError('CLOSED', 'the S3 client is closed')
    throwIfAborted(signal)
  }
}

/** @throws {TypeError} */
function checkCredentials(credentials: Partial<S3Credentials> | undefined): void {
  for (const name of ['accessKeyId', 'secretAccessKey'] as const) {
    const value = credentials?.[name]
    // Never the value: it may be a secret in the wrong place.
    if (typeof value !== 'string' || value === '') throw new TypeError(`credentials must have ${name}, a text`)
  }
}

export function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300
}

/** True where a transport has no answer: the request may have been carried out. */
export function isUnanswered(error: unknown): error is VarveError {
  return isCode(error, 'IO_FAILED') && 'unsent' in error.details
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** For errors: a request as people name it. */
export function describe({ method, key }: Pick<S3Request, 'method' | 'key'>): string {
  return key === '' ? `${method} of the bucket` : `${method} of ${key}`
}

function kindOf(method: HttpMethod): S3RequestKind {
  if (method === 'DELETE') return 'deletes'
  return method === 'GET' || method === 'HEAD' ? 'reads' : 'writes'
}
