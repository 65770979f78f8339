/** Lists of objects, page after page (ListObjectsV2). */

import { VarveError } from '../../kernel/errors.ts'
import type { S3Client } from './s3-client.ts'
import { elementText, elements } from './xml.ts'

export interface ListedObject {
  /** Without the client's prefix. */
  readonly key: string
  readonly bytes: number
  /** By the store's clock, in milliseconds since 1970. */
  readonly modified: number
}

export interface ObjectList {
  readonly objects: readonly ListedObject[]
  /** The store's clock when it began to answer, in milliseconds since 1970. */
  readonly time: number
}

/** Every object whose key begins with `start`. */
export async function listObjects(client: S3Client, start: string, signal?: AbortSignal): Promise<ObjectList> {
  const objects: ListedObject[] = []
  let time = NaN
  let token: string | undefined
  do {
    const query: Record<string, string> = { 'list-type': '2', 'max-keys': '1000', prefix: `${client.prefix}${start}` }
    if (token !== undefined) query['continuation-token'] = token
    const answer = await client.request({ method: 'GET', key: '', query, kind: 'lists', signal })
    if (Number.isNaN(time)) time = Date.parse(answer.headers['date'] ?? '')
    const xml = new TextDecoder().decode(answer.body)
    for (const content of elements(xml, 'Contents')) objects.push(listedObject(content, client.prefix))
    const next = elementText(xml, 'IsTruncated') === 'true' ? elementText(xml, 'NextContinuationToken') : undefined
    if (elementText(xml, 'IsTruncated') === undefined) throw unreadable('it does not say whether it is the last')
    // A page that leads to itself would go on for ever.
    if (next !== undefined && next === token) throw unreadable('it is followed by itself')
    token = next
  } while (token !== undefined)
  return { objects, time }
}

function listedObject(xml: string, prefix: string): ListedObject {
  const key = elementText(xml, 'Key')
  const bytes = Number(elementText(xml, 'Size') ?? NaN)
  if (key?.startsWith(prefix) !== true) throw unreadable('it has a key that was not asked for')
  if (!Number.isSafeInteger(bytes)) throw unreadable('it has an object without a size')
  return { key: key.slice(prefix.length), bytes, modified: Date.parse(elementText(xml, 'LastModified') ?? '') }
}

function unreadable(reason: string): VarveError {
  return new VarveError('IO_FAILED', `a page of a list cannot be read: ${reason}`, { details: { operation: 'list' } })
}
