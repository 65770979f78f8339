/** Removing many objects: a thousand with one request, or one by one where a store does not know that request. */

import { createHash } from 'node:crypto'
import { isCode } from '../../kernel/errors.ts'
import type { S3Client } from './s3-client.ts'
import { elementText, elements, escapeText } from './xml.ts'

// S3's limit.
const KEYS_MAX = 1000
const SINGLE_IN_FLIGHT = 16

/** Removes objects; a key that is not there is no error. */
export async function removeObjects(client: S3Client, keys: readonly string[], signal?: AbortSignal): Promise<void> {
  if (keys.length < 2) return removeSingly(client, keys, signal)
  for (let start = 0; start < keys.length; start += KEYS_MAX) {
    const some = keys.slice(start, start + KEYS_MAX)
    await removeSingly(client, await removeTogether(client, some, signal), signal)
  }
}

/** @returns those that are left to be removed one by one */
async function removeTogether(
  client: S3Client,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const objects = keys.map((key) => `<Object><Key>${escapeText(client.prefix + key)}</Key></Object>`)
  const body = new TextEncoder().encode(`<Delete><Quiet>true</Quiet>${objects.join('')}</Delete>`)
  const headers = {
    'content-type': 'application/xml',
    // Stores insist on it here, some on this one only.
    'content-md5': createHash('md5').update(body).digest('base64'),
  }
  try {
    const request = { method: 'POST', key: '', query: { delete: '' }, headers, body, kind: 'deletes', signal } as const
    const answer = await client.request(request, [400, 404, 405])
    if (answer.status !== 200) return keys
    const xml = new TextDecoder().decode(answer.body)
    return elements(xml, 'Error').flatMap((error) => {
      const key = elementText(error, 'Key') ?? ''
      return key.startsWith(client.prefix) ? [key.slice(client.prefix.length)] : []
    })
  } catch (error) {
    if (isCode(error, 'UNSUPPORTED')) return keys
    throw error
  }
}

async function removeSingly(client: S3Client, keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  for (let start = 0; start < keys.length; start += SINGLE_IN_FLIGHT) {
    const some = keys.slice(start, start + SINGLE_IN_FLIGHT)
    await Promise.all(some.map((key) => client.request({ method: 'DELETE', key, signal }, [404])))
  }
}
