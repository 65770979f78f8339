/**
 * What schedulers and workers write to each other: MessagePack, looked at before it is believed.
 *
 *      scheduler ── offer {address, key, spec} ──► work queue ──► worker
 *      worker ── begin, renew, done, failed ──► address ──► answer
 */

import { VarveError } from '../../kernel/errors.ts'
import { MIB } from '../../kernel/limits.ts'
import { MessageCodec } from '../../rpc/message.ts'

/** Of one message: a server takes 1 MiB as it comes, and an operator may allow more. */
const MAIL_BYTES_MAX = 16 * MIB

/** In the work queue. */
export interface Offer {
  /** Where its scheduler listens. */
  readonly address: string
  /** Names the job there. */
  readonly key: string
  /** As `encodeSpec` makes it. */
  readonly spec: Uint8Array
}

/**
 * From a worker. `lease` was given by the answer to `begin`.
 *
 * - `begin`: may I? `control` is where I listen
 * - `renew`: I am still at it; `fraction` is done
 * - `done`: with a result; `failed`: with an error
 */
export type WorkerMail =
  | { readonly type: 'begin'; readonly key: string; readonly control: string }
  | { readonly type: 'renew'; readonly lease: string; readonly fraction: number }
  | { readonly type: 'done'; readonly lease: string; readonly result: Uint8Array }
  | { readonly type: 'failed'; readonly lease: string; readonly error: unknown }

/**
 * From a scheduler.
 *
 * - `run`: do it, with `suffix` behind the prefix of outputs
 * - `later`: somebody is at it
 * - `yes`: heard, or go on; `no`: nobody wants it, or not from you
 */
export type SchedulerMail =
  { readonly type: 'run'; readonly lease: string; readonly suffix: string } | { readonly type: 'later' | 'yes' | 'no' }

const codec = (): MessageCodec => new MessageCodec(MAIL_BYTES_MAX)

export function encodeMail(mail: Offer | WorkerMail | SchedulerMail): Uint8Array {
  return codec().encode(mail)
}

/** @throws {VarveError} LIMIT_EXCEEDED — no offer */
export function decodeOffer(bytes: Uint8Array): Offer {
  const { address, key, spec } = decode(bytes)
  if (typeof address === 'string' && typeof key === 'string' && spec instanceof Uint8Array)
    return { address, key, spec }
  throw malformed()
}

/** @throws {VarveError} LIMIT_EXCEEDED */
export function decodeWorkerMail(bytes: Uint8Array): WorkerMail {
  const { type, key, control, lease, fraction, result, error } = decode(bytes)
  if (type === 'begin' && typeof key === 'string' && typeof control === 'string') return { type, key, control }
  if (typeof lease === 'string') {
    if (type === 'renew' && typeof fraction === 'number') return { type, lease, fraction }
    if (type === 'done' && result instanceof Uint8Array) return { type, lease, result }
    if (type === 'failed') return { type, lease, error }
  }
  throw malformed()
}

/** @throws {VarveError} LIMIT_EXCEEDED */
export function decodeSchedulerMail(bytes: Uint8Array): SchedulerMail {
  const { type, lease, suffix } = decode(bytes)
  if (type === 'run' && typeof lease === 'string' && typeof suffix === 'string') return { type, lease, suffix }
  if (type === 'later' || type === 'yes' || type === 'no') return { type }
  throw malformed()
}

function decode(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const value = codec().decode(bytes)?.value
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw malformed()
}

function malformed(): VarveError {
  return new VarveError('LIMIT_EXCEEDED', 'that is no message about a job', { details: { what: 'job' } })
}
