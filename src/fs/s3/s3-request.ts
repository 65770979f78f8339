/** One request to a bucket, before it is signed. */

import type { HttpMethod } from './http.ts'
import type { S3RequestKind } from './usage.ts'

/** One request, as those who use the client make it. */
export interface S3Request {
  /** Of HTTP. */
  readonly method: HttpMethod
  /** Without the prefix; empty: the bucket. */
  readonly key: string
  /** Decoded; the client encodes and sorts it. Default: none. */
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** Lent until the request has settled. Default: empty. */
  readonly body?: Uint8Array
  /** SHA-256 of the body, in hexadecimal, where it is known. */
  readonly bodyDigest?: string
  /** What it is counted as, if not by its method. */
  readonly kind?: S3RequestKind
  /** The answer may have so many bytes, or it is a failure. Default 8 MiB. */
  readonly answerBytesMax?: number
  /** Aborts between attempts and during them. */
  readonly signal?: AbortSignal | undefined
  /** Of the call that it is a part of, by the client's clock: its attempts share `callMs`. Default: now. */
  readonly beganMs?: number | undefined
}
