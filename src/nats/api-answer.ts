/** What a server answers to a request of the JetStream API: an object of its own form, or an error. */

import { VarveError } from '../kernel/errors.ts'
import { unanswered } from './pull.ts'

/** Why a server does not grant a request. */
export interface ApiError {
  /** Like one of HTTP. */
  readonly code: number
  /** Which error it is: https://github.com/nats-io/nats-server/blob/main/server/errors.json */
  readonly err_code?: number
  /** For people. */
  readonly description?: string
}

/** An answer as the server's JSON has it. */
export type ApiAnswer = Readonly<Record<string, unknown>> & { readonly error?: ApiError }

/** @throws {VarveError} IO_FAILED — the bytes are no answer */
export function parseAnswer(data: Uint8Array): ApiAnswer {
  try {
    const answer: unknown = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString())
    if (typeof answer === 'object' && answer !== null) return answer as ApiAnswer
  } catch (error) {
    throw unanswered('request', 'an answer', error)
  }
  throw unanswered('request', 'an answer', new Error('it is no object'))
}

/** @throws {VarveError} IO_FAILED — the answer lacks it */
export function partOf(answer: ApiAnswer, name: string): Readonly<Record<string, unknown>> {
  const value = answer[name]
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw unanswered('request', 'an answer', new Error(`it has no ${name}`))
}

/** The error of a request that the server would not grant. */
export function refused(operation: string, path: string, error: ApiError | undefined): VarveError {
  const reason = error?.description ?? 'an answer of another form'
  return new VarveError('IO_FAILED', `NATS refused ${operation} of ${path}: ${reason}`, {
    details: { operation, path, reason, natsCode: error?.err_code },
  })
}
