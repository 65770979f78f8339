/** What answers that are no success mean. */

import { VarveError } from '../../kernel/errors.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import type { HttpResponse } from './http.ts'
import { elementText } from './xml.ts'

/** Code of an error in the answer's body, such as `NoSuchKey`. */
export function answerCode({ body }: HttpResponse): string | undefined {
  // Errors are short; a longer body is content.
  return body.length === 0 || body.length > 64 * 1024 ? undefined : elementText(new TextDecoder().decode(body), 'Code')
}

// Client errors that are none of the client's: the connection was slow, another request was faster.
const PASSING_CODES: readonly (string | undefined)[] = ['RequestTimeout', 'SlowDown', 'OperationAborted']

/** True where the same request may succeed later. Of a write nobody knows whether it has happened. */
export function isPassing(answer: HttpResponse): boolean {
  const { status } = answer
  if (status === 501) return false
  return status >= 500 || status === 408 || status === 429 || PASSING_CODES.includes(answerCode(answer))
}

/** What people can do about it. */
const WAYS_OUT: Readonly<Record<string, string>> = Object.freeze({
  NoSuchBucket: 'there is no bucket of that name: make it, or mend the name',
  InvalidAccessKeyId: 'the store does not know this access key',
  SignatureDoesNotMatch: 'the secret access key, or the region, is another one',
  AuthorizationHeaderMalformed: 'the region is another one',
  PermanentRedirect: 'the bucket is in another region: mend endpoint and region',
  TemporaryRedirect: 'the bucket is in another region, or new: mend endpoint and region, or wait',
  AccessDenied: 'these credentials may not do that; docs/s3.md lists what they need',
  ExpiredToken: 'the credentials have ended; give a function that has new ones',
  RequestTimeTooSkewed: 'the clock of this machine is wrong, and the answer does not say what time it is',
})

/**
 * The error for an answer that is no success.
 *
 * @param bucket which one, and where
 */
export function answerError(what: string, bucket: string, answer: HttpResponse): VarveError {
  const code = answerCode(answer)
  const shown = `${answer.status}${code === undefined ? '' : ` ${code}`}`
  const wayOut = WAYS_OUT[code ?? '']
  const message = `${what} in ${bucket} was answered with ${shown}${wayOut === undefined ? '' : `: ${wayOut}`}`
  return new VarveError(errorCode(answer.status, code), message, {
    details: { operation: what, bucket, status: answer.status, answer: code },
  })
}

function errorCode(status: number, code: string | undefined): ErrorCode {
  if (code === 'NoSuchBucket') return 'NOT_FOUND'
  if (status === 507 || code === 'QuotaExceeded' || code === 'InsufficientCapacity') return 'NO_SPACE'
  if (status === 401 || status === 403 || code === 'ExpiredToken') return 'PERMISSION_DENIED'
  if (status === 501) return 'UNSUPPORTED'
  return 'IO_FAILED'
}
