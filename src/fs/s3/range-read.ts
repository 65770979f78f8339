/** A part of an object, and the check that it is the part that was asked for. */

import { VarveError } from '../../kernel/errors.ts'
import { KIB } from '../../kernel/limits.ts'
import type { HttpResponse } from './http.ts'
import { describe } from './s3-client.ts'
import type { S3Client } from './s3-client.ts'

export interface RangeRead {
  readonly bytes: Uint8Array
  /** Of the whole object. */
  readonly totalBytes: number
}

/**
 * `length` bytes from `offset`; fewer, none, where the object ends before that. undefined: there is no object.
 *
 * @param length at least 1
 * @throws {VarveError} IO_FAILED — after all attempts, or the answer is another range than asked for
 */
export async function readRange(
  client: S3Client,
  key: string,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<RangeRead | undefined> {
  const limit = offset + length
  const headers = { range: `bytes=${offset}-${limit - 1}` }
  // An answer that is an error has a body, too.
  const answerBytesMax = Math.max(length, 64 * KIB)
  const answer = await client.request({ method: 'GET', key, headers, answerBytesMax, signal }, [404, 416])
  const { status, body } = answer
  if (status === 404) return undefined
  if (status === 416) return { bytes: new Uint8Array(0), totalBytes: totalOf(answer) ?? 0 }
  // All of it was asked for: then a store may answer without a range.
  if (status === 200 && offset === 0 && body.length === length) return { bytes: body, totalBytes: length }
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.headers['content-range'] ?? '') ?? []
  const totalBytes = Number(total)
  const lastExpected = Math.min(limit, totalBytes) - 1
  if (status === 206 && Number(first) === offset && Number(last) === lastExpected) {
    if (body.length === lastExpected + 1 - offset) return { bytes: body, totalBytes }
  }
  throw new VarveError(
    'IO_FAILED',
    `${describe({ method: 'GET', key })} gave ${body.length} bytes (${answer.headers['content-range'] ?? `status ${status}`}) where bytes ${offset}-${limit - 1} were asked for`,
    { details: { operation: 'read', path: key, status } },
  )
}

function totalOf({ headers }: HttpResponse): number | undefined {
  const match = /\/(\d+)$/.exec(headers['content-range'] ?? '')
  return match === null ? undefined : Number(match[1])
}
