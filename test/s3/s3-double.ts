/**
 * An S3-compatible store in this process, as honest or as strange as a test wants it: conditional writes, ranges, uploads
 * in parts, lists in pages, removals.
 *
 * It checks what a client could get wrong without noticing: the digest of every body, sizes of parts, encodings of keys.
 */

import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { VarveError } from '../../src/kernel/errors.ts'
import { concatBytes } from '../../src/kernel/bytes.ts'
import { MIB } from '../../src/kernel/limits.ts'
import type { HttpRequest, HttpResponse, HttpTransport } from '../../src/fs/s3/http.ts'
import { answerOf, errorAnswer, isPage, objectPage, pageAnswer, uploadPage } from './s3-double-answers.ts'
import type { S3Fault, S3Quirks } from './s3-quirks.ts'

export interface StoredObject {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
  readonly modified: number
}

export interface StoredUpload {
  readonly key: string
  readonly metadata: Readonly<Record<string, string>>
  readonly parts: Map<number, { readonly bytes: Uint8Array; readonly etag: string }>
  readonly begun: number
}

export interface S3Call {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly key: string
}

const PART_BYTES_MIN = 5 * MIB
const EPOCH_MS = 1_700_000_000_000
const TEXT = new TextEncoder()

export class S3Double {
  readonly bucket = 'varve'
  readonly quirks: S3Quirks
  /** Objects of a page of a list. */
  pageSize = 1000
  /** That arrived. */
  readonly calls: S3Call[] = []
  /** Asked for every request. */
  plan: (call: S3Call) => S3Fault | undefined = () => undefined
  /** What the store's clock shows. */
  time = EPOCH_MS
  readonly #objects = new Map<string, StoredObject>()
  readonly #uploads = new Map<string, StoredUpload>()
  #uploadNext = 1
  #late: (() => Promise<unknown>)[] = []

  constructor(quirks: S3Quirks = {}) {
    this.quirks = quirks
  }

  /** As real stores go on: radosgw 16.2. */
  static radosgw(): S3Double {
    return new S3Double({
      bareEtags: true,
      losersGet500: true,
      ignoresCompleteCondition: true,
      emptyCompleteEtag: true,
    })
  }

  get keys(): string[] {
    return [...this.#objects.keys()].sort()
  }

  get uploadCount(): number {
    return this.#uploads.size
  }

  object(key: string): Uint8Array | undefined {
    return this.#objects.get(key)?.bytes
  }

  put(key: string, bytes: Uint8Array): void {
    this.#objects.set(key, { bytes, etag: digest('md5', bytes), metadata: {}, modified: this.time })
  }

  /** A way to it without sockets. */
  transport(): HttpTransport {
    let closed = false
    return {
      send: (request) => (closed ? Promise.reject(noAnswer('closed', true)) : this.#send(request)),
      close: () => {
        closed = true
        return Promise.resolve()
      },
    }
  }

  /** What was late arrives. */
  async arrive(): Promise<void> {
    const late = this.#late
    this.#late = []
    for (const each of late) await each()
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    await turn()
    if (request.signal.aborted) throw noAnswer('aborted', true)
    const url = new URL(request.url)
    const call = {
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      key: decodeURIComponent(url.pathname).slice(`/${this.bucket}/`.length),
    }
    const fault = this.plan(call)
    if (fault === 'refused') throw noAnswer('connection refused', true)
    this.calls.push(call)
    if (fault === 'lost') throw noAnswer('connection lost', false)
    if (isPage(fault)) return pageAnswer(fault)
    if (fault === 500 || fault === 503) return errorAnswer(fault, fault === 500 ? 'InternalError' : 'SlowDown')
    // The client's memory is lent until it has an answer, which comes before this is looked at.
    const copy = { ...request, body: request.body.slice() }
    if (fault === 'late') {
      this.#late.push(() => this.handle(copy, call))
      throw noAnswer('timed out', false)
    }
    const answer = await this.handle(copy, call)
    if (fault === 'answer-lost') throw noAnswer('connection lost', false)
    if (fault === '500-after') return errorAnswer(500, 'InternalError')
    const last = fault === 'twice' ? await this.handle(copy, call) : answer
    if (last.body.length > request.answerBytesMax) throw noAnswer('the answer is too long', false)
    await turn()
    return last
  }

  /** Carries a request out. */
  async handle({ method, headers, body }: HttpRequest, call: S3Call): Promise<HttpResponse> {
    if (headers['authorization']?.startsWith('AWS4-HMAC-SHA256 ') !== true) return errorAnswer(403, 'AccessDenied')
    if (headers['x-amz-content-sha256'] !== digest('sha256', body)) return errorAnswer(400, 'XAmzContentSHA256Mismatch')
    if (call.path !== `/${this.bucket}` && !call.path.startsWith(`/${this.bucket}/`))
      return errorAnswer(404, 'NoSuchBucket')
    const answer = await this.#handle(method, headers, body, call)
    const dated = { date: new Date(this.time).toUTCString(), 'content-length': String(answer.body.length) }
    return {
      ...answer,
      headers: { ...dated, ...answer.headers },
      body: method === 'HEAD' ? new Uint8Array(0) : answer.body,
    }
  }

  #handle(
    method: string,
    headers: HttpRequest['headers'],
    body: Uint8Array,
    { query, key }: S3Call,
  ): HttpResponse | Promise<HttpResponse> {
    const uploadId = query.get('uploadId')
    if (key === '') {
      if (method === 'GET') return this.#list(query)
      return method === 'POST' && query.has('delete')
        ? this.#removeBatch(headers, body)
        : errorAnswer(400, 'BadRequest')
    }
    switch (method) {
      case 'GET':
      case 'HEAD':
        return this.#get(key, headers['range'])
      case 'PUT':
        return uploadId === null ? this.#put(key, headers, body) : this.#putPart(uploadId, query, body)
      case 'POST':
        return uploadId === null ? this.#beginUpload(key, headers) : this.#complete(key, uploadId, headers, body)
      case 'DELETE':
        if (uploadId !== null) return this.#uploads.delete(uploadId) ? answerOf(204) : errorAnswer(404, 'NoSuchUpload')
        this.#objects.delete(key)
        return answerOf(204)
      default:
        return errorAnswer(405, 'MethodNotAllowed')
    }
  }

  #get(key: string, range: string | undefined): HttpResponse {
    const found = this.#objects.get(key)
    if (found === undefined) return errorAnswer(404, 'NoSuchKey')
    const { bytes, etag, metadata } = found
    const headers = { etag: `"${etag}"`, ...metadata }
    if (range === undefined || this.quirks.ignoresRange === true) return answerOf(200, bytes.slice(), headers)
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
    const start = Number(first)
    if (start >= bytes.length) {
      return { ...errorAnswer(416, 'InvalidRange'), headers: { 'content-range': `bytes */${bytes.length}` } }
    }
    const limit = Math.min(Number(last) + 1, bytes.length)
    const shift = this.quirks.shiftedRange === true && limit < bytes.length ? 1 : 0
    return answerOf(206, bytes.slice(start + shift, limit + shift), {
      ...headers,
      'content-range': `bytes ${start}-${limit - 1}/${bytes.length}`,
    })
  }

  async #put(key: string, headers: HttpRequest['headers'], body: Uint8Array): Promise<HttpResponse> {
    const before = this.#objects.get(key)
    const refusal = this.#refusal(before, headers)
    if (refusal !== undefined) return refusal
    if (this.quirks.racyConditions === true) await turn()
    // Conditions are compared again when the write is made, as radosgw does in its index.
    else if (this.quirks.losersGet500 === true && headers['if-match'] !== undefined) {
      await turn()
      if (this.#objects.get(key) !== before) return errorAnswer(500, 'UnknownError')
    }
    const etag = digest('md5', body)
    this.#objects.set(key, { bytes: body, etag, metadata: metadataOf(headers), modified: this.time })
    return answerOf(200, undefined, { etag: `"${etag}"` })
  }

  #refusal(before: StoredObject | undefined, headers: HttpRequest['headers']): HttpResponse | undefined {
    const { 'if-none-match': none, 'if-match': match } = headers
    const refused = errorAnswer(412, 'PreconditionFailed')
    if (none === '*' && before !== undefined && this.quirks.ignoresIfNoneMatch !== true) return refused
    if (match === undefined || this.quirks.ignoresIfMatch === true) return undefined
    if (before === undefined) return this.quirks.missingIs404 === true ? errorAnswer(404, 'NoSuchKey') : refused
    const etag = this.quirks.bareEtags === true ? before.etag : `"${before.etag}"`
    return match === etag ? undefined : refused
  }

  #beginUpload(key: string, headers: HttpRequest['headers']): HttpResponse {
    const id = `2~upload/${this.#uploadNext++}`
    this.#uploads.set(id, { key, metadata: metadataOf(headers), parts: new Map(), begun: this.time })
    return answerOf(
      200,
      TEXT.encode(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`),
    )
  }

  #putPart(uploadId: string, query: URLSearchParams, bytes: Uint8Array): HttpResponse {
    const etag = digest('md5', bytes)
    const upload = this.#uploads.get(uploadId)
    if (upload === undefined) return errorAnswer(404, 'NoSuchUpload')
    upload.parts.set(Number(query.get('partNumber')), { bytes, etag })
    return answerOf(200, undefined, { etag: `"${etag}"` })
  }

  #complete(key: string, uploadId: string, headers: HttpRequest['headers'], body: Uint8Array): HttpResponse {
    const upload = this.#uploads.get(uploadId)
    if (upload?.key !== key) return errorAnswer(404, 'NoSuchUpload')
    if (this.quirks.refusesCompleteCondition === true && headers['if-none-match'] !== undefined)
      return errorAnswer(501, 'NotImplemented')
    const conditions = this.quirks.ignoresCompleteCondition === true ? {} : headers
    const refusal = this.#refusal(this.#objects.get(key), conditions)
    if (refusal !== undefined) return refusal
    const listed = [
      ...new TextDecoder().decode(body).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;(\w+)&quot;/g),
    ]
    const parts = listed.map(([, number, etag]) => {
      const part = upload.parts.get(Number(number))
      return part?.etag === etag ? part : undefined
    })
    const bytes = parts.map((part) => part?.bytes ?? new Uint8Array(0))
    if (parts.length === 0 || parts.includes(undefined)) return errorAnswer(400, 'InvalidPart')
    if (bytes.slice(0, -1).some((part) => part.length < PART_BYTES_MIN)) return errorAnswer(400, 'EntityTooSmall')
    const etag = `${digest('md5', concatBytes(bytes))}-${parts.length}`
    this.#uploads.delete(uploadId)
    this.#objects.set(key, { bytes: concatBytes(bytes), etag, metadata: upload.metadata, modified: this.time })
    const shown = this.quirks.emptyCompleteEtag === true ? '' : `"${etag}"`
    return answerOf(
      200,
      TEXT.encode(`<CompleteMultipartUploadResult><ETag>${shown}</ETag></CompleteMultipartUploadResult>`),
    )
  }

  #list(query: URLSearchParams): HttpResponse {
    const listing = { prefix: query.get('prefix') ?? '', query, pageSize: this.pageSize }
    if (query.has('uploads')) return uploadPage(listing, this.#uploads)
    return objectPage(listing, this.#objects)
  }

  #removeBatch(headers: HttpRequest['headers'], body: Uint8Array): HttpResponse {
    const { noBatchRemoval, keepsInBatch } = this.quirks
    if (noBatchRemoval !== undefined) return errorAnswer(noBatchRemoval, 'NotImplemented')
    if (headers['content-md5'] !== createHash('md5').update(body).digest('base64')) return errorAnswer(400, 'BadDigest')
    let failures = ''
    for (const [, key = ''] of new TextDecoder().decode(body).matchAll(/<Key>([^<]*)<\/Key>/g))
      if (key === keepsInBatch) failures += `<Error><Key>${key}</Key><Code>InternalError</Code></Error>`
      else this.#objects.delete(key)
    return answerOf(200, TEXT.encode(`<DeleteResult>${failures}</DeleteResult>`))
  }
}

function metadataOf(headers: HttpRequest['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-')))
}

function digest(algorithm: 'md5' | 'sha256', bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex')
}

function noAnswer(reason: string, unsent: boolean): VarveError {
  return new VarveError('IO_FAILED', reason, { details: { operation: 'send', unsent } })
}
