/**
 * A write that takes effect only while a condition holds, and at most once.
 *
 * Answers do not tell whether it has: a store answers 412 to a request that was carried out and then made again somewhere
 * on the way, radosgw answers 500 to most who lose a race, a connection breaks after the request. So every write carries
 * a mark of its own in the object's metadata, and whatever is not a plain success is resolved by reading back: the mark
 * is there, and it has happened; another object is there, and it has not; what was there before is there still, and the
 * very same request is made again. An attempt that was thought lost and arrives late finds its condition broken, or
 * writes what is to be written anyway.
 */

import { VarveError } from '../../kernel/errors.ts'
import { answerCode, answerError, isPassing } from './answer-error.ts'
import type { HttpResponse } from './http.ts'
import { describe, isSuccess, isUnanswered } from './s3-client.ts'
import type { S3Client } from './s3-client.ts'
import type { S3Request } from './s3-request.ts'

export const MARK_HEADER = 'x-amz-meta-varve-mark'

/** How the store wants ETags in `If-Match`: as RFC 9110 has them, or as radosgw compares them. */
export type EtagStyle = 'quoted' | 'bare'

export type WriteCondition =
  { readonly type: 'absent' } | { readonly type: 'unchanged'; readonly etag: string; readonly style: EtagStyle }

export interface ObjectState {
  /** Without quotes. */
  readonly etag: string
  readonly bytes: number
  readonly mark: string | undefined
}

export type WriteOutcome =
  | { readonly type: 'done'; readonly etag: string }
  /** The condition does not hold, and it was not this write that broke it. */
  | { readonly type: 'conflict'; readonly found: ObjectState | undefined }
  /** The store says that the condition does not hold, and it does. */
  | { readonly type: 'refused' }

export interface ConditionalWrite {
  readonly key: string
  readonly mark: string
  readonly condition: WriteCondition
  /** One attempt. The answer to one that was made has an ETag, and no body. */
  send(attempt: number): Promise<HttpResponse>
}

// So often a store may say of a condition that holds that it does not: between its answer and our look, things change.
const REFUSALS_MAX = 2

/**
 * Makes attempts until it is known what came of them.
 *
 * @throws {VarveError} OUTCOME_UNKNOWN — after `attemptsMax` attempts, or `callMs`, of which one may have been carried out
 * @throws {VarveError} IO_FAILED, PERMISSION_DENIED, NOT_FOUND, NO_SPACE — nothing was written
 */
export async function writeConditionally(client: S3Client, write: ConditionalWrite): Promise<WriteOutcome> {
  const { key, mark, condition } = write
  const what = describe({ method: 'PUT', key })
  let mayHaveHappened = false
  let refusals = 0
  const beganMs = client.clock.monotonic()
  for (let attempt = 1; ; attempt++) {
    let failure: unknown
    try {
      const answer = await write.send(attempt)
      const etag = etagOf(answer)
      // A success that has no ETag, or a body, may be a page of somebody on the way: the mark tells.
      if (isSuccess(answer) && etag !== undefined && answer.body.length === 0) return { type: 'done', etag }
      failure = answerError(what, client.bucket, answer)
      if (!isSuccess(answer) && !isWorthALook(answer)) throw mayHaveHappened ? unknownOutcome(what, failure) : failure
      if (answer.status === 412) refusals++
      if (isSuccess(answer) || isPassing(answer)) mayHaveHappened = true
    } catch (error) {
      if (!isUnanswered(error)) throw error
      failure = error
      if (error.details['unsent'] !== true) mayHaveHappened = true
    }

    const found = await lookAfter(client, key, what, mayHaveHappened, beganMs)
    if (found?.mark === mark) return { type: 'done', etag: found.etag }
    if (!holds(condition, found)) return { type: 'conflict', found }
    if (refusals >= REFUSALS_MAX && !mayHaveHappened) return { type: 'refused' }
    if (client.isLast(attempt, beganMs)) throw mayHaveHappened ? unknownOutcome(what, failure) : failure
    await client.delay(attempt)
  }
}

/** One PUT of `body`, for `ConditionalWrite.send`. */
export function conditionalPut(
  client: S3Client,
  { key, mark, condition }: Omit<ConditionalWrite, 'send'>,
  body: Uint8Array,
  rest: Pick<S3Request, 'bodyDigest' | 'signal'> = {},
): ConditionalWrite {
  const headers = { [MARK_HEADER]: mark, ...conditionHeader(condition) }
  const request: S3Request = { method: 'PUT', key, headers, body, ...rest }
  return { key, mark, condition, send: (attempt) => client.once(request, attempt) }
}

function conditionHeader(condition: WriteCondition): Record<string, string> {
  if (condition.type === 'absent') return { 'if-none-match': '*' }
  return { 'if-match': condition.style === 'quoted' ? `"${condition.etag}"` : condition.etag }
}

/** What is there now; undefined: nothing. */
export async function objectState(
  client: S3Client,
  key: string,
  rest: Pick<S3Request, 'signal' | 'beganMs'> = {},
): Promise<ObjectState | undefined> {
  const answer = await client.request({ method: 'HEAD', key, ...rest }, [404])
  if (answer.status === 404) return undefined
  const { 'content-length': length, [MARK_HEADER]: mark } = answer.headers
  return { etag: etagOf(answer) ?? '', bytes: Number(length), mark }
}

/** Without quotes; undefined where the answer has none. */
export function etagOf({ headers }: HttpResponse): string | undefined {
  const etag = headers['etag']?.replace(/^W\//, '').replaceAll('"', '')
  return etag === '' ? undefined : etag
}

function holds(condition: WriteCondition, found: ObjectState | undefined): boolean {
  return condition.type === 'absent' ? found === undefined : found?.etag === condition.etag
}

/** A refusal, the conflict that another write is under way, a missing object or upload, and what passes. */
function isWorthALook(answer: HttpResponse): boolean {
  const { status } = answer
  if (status === 404) return answerCode(answer) !== 'NoSuchBucket'
  return status === 412 || status === 409 || isPassing(answer)
}

async function lookAfter(
  client: S3Client,
  key: string,
  what: string,
  mayHaveHappened: boolean,
  beganMs?: number,
): Promise<ObjectState | undefined> {
  try {
    return await objectState(client, key, { beganMs })
  } catch (error) {
    throw mayHaveHappened ? unknownOutcome(what, error) : error
  }
}

function unknownOutcome(what: string, cause: unknown): VarveError {
  return new VarveError('OUTCOME_UNKNOWN', `${what} may or may not have happened`, {
    details: { operation: what },
    cause,
  })
}
