/** What the S3 double says: errors, and pages of lists. */

import type { HttpResponse } from '../../src/fs/s3/http.ts'
import type { StoredObject, StoredUpload } from './s3-double.ts'
import type { S3Fault } from './s3-quirks.ts'

export interface Listing {
  readonly prefix: string
  readonly query: URLSearchParams
  readonly pageSize: number
}

const TEXT = new TextEncoder()

export function objectPage(
  { prefix, query, pageSize }: Listing,
  objects: ReadonlyMap<string, StoredObject>,
): HttpResponse {
  const after = query.get('continuation-token') ?? ''
  const matching = [...objects].filter(([key]) => key.startsWith(prefix) && key > after)
  matching.sort(([a], [b]) => (a < b ? -1 : 1))
  const page = matching.slice(0, pageSize)
  const contents = page.map(([key, { bytes, modified }]) =>
    element('Contents', element('Key', key), element('LastModified', iso(modified)), element('Size', bytes.length)),
  )
  const truncated = page.length < matching.length
  const next = truncated ? element('NextContinuationToken', page.at(-1)?.[0] ?? '') : ''
  return xmlAnswer('ListBucketResult', element('IsTruncated', truncated), next, ...contents)
}

export function uploadPage({ prefix, query, pageSize }: Listing, all: ReadonlyMap<string, StoredUpload>): HttpResponse {
  const after = query.get('upload-id-marker') ?? ''
  const matching = [...all].filter(([id, { key }]) => key.startsWith(prefix) && id > after)
  matching.sort(([a], [b]) => (a < b ? -1 : 1))
  const page = matching.slice(0, pageSize)
  const uploads = page.map(([id, { key, begun }]) =>
    element('Upload', element('Key', key), element('UploadId', id), element('Initiated', iso(begun))),
  )
  const truncated = page.length < matching.length
  const [id = '', last] = page.at(-1) ?? []
  const next = truncated ? element('NextKeyMarker', last?.key ?? '') + element('NextUploadIdMarker', id) : ''
  return xmlAnswer('ListMultipartUploadsResult', element('IsTruncated', truncated), next, ...uploads)
}

export function xmlAnswer(name: string, ...content: readonly string[]): HttpResponse {
  return answerOf(200, TEXT.encode(element(name, ...content)))
}

export function answerOf(
  status: number,
  body: Uint8Array = new Uint8Array(0),
  headers: Record<string, string> = {},
): HttpResponse {
  return { status, headers, body }
}

export function errorAnswer(status: number, code: string): HttpResponse {
  return answerOf(status, TEXT.encode(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`))
}

function element(name: string, ...content: readonly (string | number | boolean)[]): string {
  return `<${name}>${content.join('')}</${name}>`
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

/** What somebody on the way says in the store's place. */
const PAGES = {
  page: errorAnswer(200, 'PleaseLogIn'),
  'tagged-page': answerOf(200, TEXT.encode('<html>Log in</html>'), { etag: 'W/"13-login"' }),
  'page-404': answerOf(404, TEXT.encode('<html>Not found</html>')),
  'no-bucket': errorAnswer(404, 'NoSuchBucket'),
}

export function isPage(fault: S3Fault | undefined): fault is keyof typeof PAGES {
  return fault !== undefined && Object.hasOwn(PAGES, fault)
}

export function pageAnswer(fault: keyof typeof PAGES): HttpResponse {
  return PAGES[fault]
}
