/** HTTP over Node's sockets, which stay open between requests. */

import * as http from 'node:http'
import * as https from 'node:https'
import { concatBytes } from '../../kernel/bytes.ts'
import { VarveError } from '../../kernel/errors.ts'
import { S3_DEFAULTS } from './settings.ts'
import type { HttpRequest, HttpResponse, HttpTransport } from './http.ts'

/** Of the sockets. */
export interface NodeHttpTransportOptions {
  /** Connections at the most; further requests wait for one. */
  readonly connectionsMax: number
  /** How long one may take to be made, in milliseconds. Default that of `S3_DEFAULTS`. */
  readonly connectMs?: number
  /** How long one may stand still, in milliseconds. Default that of `S3_DEFAULTS`. */
  readonly silentMs?: number
  /** Certificates of authorities to trust, in PEM. Default: those that Node trusts. */
  readonly authorities?: string
}

// Not ETIMEDOUT, which a connection that was made can meet, too.
const CONNECT_LATE = 'CONNECT_LATE'
// Failures before anything was sent: nobody lives there, or nobody knows where that is.
const UNSENT_CODES: readonly unknown[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  CONNECT_LATE,
]

/** Requests over sockets of this process, which it keeps open and closes in `close`. */
export class NodeHttpTransport implements HttpTransport {
  readonly #plain: http.Agent
  readonly #secure: https.Agent
  readonly #connectMs: number
  readonly #silentMs: number

  constructor(options: NodeHttpTransportOptions) {
    const { connectionsMax, connectMs, silentMs, authorities } = { ...S3_DEFAULTS, ...options }
    this.#connectMs = connectMs
    this.#silentMs = silentMs
    const shared = { keepAlive: true, maxSockets: connectionsMax, noDelay: true }
    this.#plain = new http.Agent(shared)
    this.#secure = new https.Agent(authorities === undefined ? shared : { ...shared, ca: authorities })
  }

  send({ method, url, headers, body, answerBytesMax, signal }: HttpRequest): Promise<HttpResponse> {
    const target = new URL(url)
    const secure = target.protocol === 'https:'
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        signal.removeEventListener('abort', abort)
        reject(unanswered(method, error))
      }
      // Without an error of its own: what is destroyed late has nobody left to hear of it, and would end the process.
      const giveUp = (reason: string): void => {
        fail(new Error(reason))
        call.destroy()
      }
      const abort = (): void => giveUp('it was given up')
      const options = {
        method,
        headers: method === 'GET' || method === 'HEAD' ? headers : { ...headers, 'content-length': body.length },
        agent: secure ? this.#secure : this.#plain,
      }
      const call = (secure ? https : http).request(target, options, (answer) => {
        const parts: Uint8Array[] = []
        let bytes = 0
        answer.on('data', (part: Uint8Array) => {
          bytes += part.length
          if (bytes > answerBytesMax) giveUp(`the answer is longer than ${answerBytesMax} bytes`)
          else parts.push(part)
        })
        answer.on('end', () => {
          signal.removeEventListener('abort', abort)
          const content = concatBytes(parts)
          resolve({ status: answer.statusCode ?? 0, headers: firstValues(answer.headers), body: content })
        })
        answer.on('error', fail)
        // An answer that breaks off ends without `end`.
        answer.on('close', () => {
          if (!answer.complete) fail(new Error('the connection was lost'))
        })
      })
      call.on('error', fail)
      call.on('socket', (socket) => {
        const watch = (): void => {
          const silent = (): void => giveUp(`nothing was heard for ${this.#silentMs} ms`)
          socket.setTimeout(this.#silentMs, silent)
          // Then it waits for another request, as long as it may.
          call.once('close', () => {
            socket.setTimeout(0)
            socket.removeListener('timeout', silent)
          })
        }
        // One that is used again is connected.
        if (!socket.connecting) {
          watch()
          return
        }
        const late = (): void => {
          fail(Object.assign(new Error(`no connection within ${this.#connectMs} ms`), { code: CONNECT_LATE }))
          call.destroy()
        }
        socket.setTimeout(this.#connectMs, late)
        socket.once(secure ? 'secureConnect' : 'connect', () => {
          socket.setTimeout(0)
          socket.removeListener('timeout', late)
          watch()
        })
      })
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
      else call.end(body)
    })
  }

  close(): Promise<void> {
    this.#plain.destroy()
    this.#secure.destroy()
    return Promise.resolve()
  }
}

function firstValues(headers: http.IncomingHttpHeaders): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
}

function unanswered(method: string, cause: unknown): VarveError {
  const code: unknown = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new VarveError('IO_FAILED', `no answer to ${method}: ${reason}`, {
    details: { operation: method, unsent: UNSENT_CODES.includes(code) },
    cause,
  })
}
