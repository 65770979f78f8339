/** What writers left in a bucket who died: uploads that nobody completes, claims, probes. */

import type { S3Client } from './s3-client.ts'
import { CLAIMS, FILES, PROBES } from './object-keys.ts'
import { listObjects } from './object-list.ts'
import { removeObjects } from './object-removal.ts'
import { elementText, elements } from './xml.ts'

interface Upload {
  /** With the client's prefix. */
  readonly key: string
  readonly id: string
  /** By the store's clock, in milliseconds since 1970. */
  readonly begun: number
}

/** @returns how many were removed */
export async function removeLeftovers(client: S3Client, olderThanMs: number): Promise<number> {
  let removed = 0
  const { uploads, time } = await listUploads(client)
  for (const { key, id, begun } of uploads) {
    if (!(time - begun >= olderThanMs)) continue
    const query = { uploadId: id }
    await client.request({ method: 'DELETE', key: key.slice(client.prefix.length), query }, [404])
    removed++
  }
  for (const start of [CLAIMS, PROBES]) {
    const listed = await listObjects(client, start)
    const old = listed.objects.filter(({ modified }) => listed.time - modified >= olderThanMs).map(({ key }) => key)
    await removeObjects(client, old)
    removed += old.length
  }
  return removed
}

/** Uploads that are under way, or that nobody completes. */
async function listUploads(client: S3Client): Promise<{ uploads: readonly Upload[]; time: number }> {
  const uploads: Upload[] = []
  const start = client.prefix + FILES
  let time = NaN
  let marker: Record<string, string> | undefined = {}
  while (marker !== undefined) {
    const query: Record<string, string> = { uploads: '', prefix: start, 'max-uploads': '1000', ...marker }
    const answer = await client.request({ method: 'GET', key: '', query, kind: 'lists' })
    if (Number.isNaN(time)) time = Date.parse(answer.headers['date'] ?? '')
    const xml = new TextDecoder().decode(answer.body)
    for (const upload of elements(xml, 'Upload')) {
      const key = elementText(upload, 'Key') ?? ''
      const begun = Date.parse(elementText(upload, 'Initiated') ?? '')
      if (key.startsWith(start)) uploads.push({ key, id: elementText(upload, 'UploadId') ?? '', begun })
    }
    marker = nextMarker(xml, marker)
  }
  return { uploads, time }
}

function nextMarker(xml: string, marker: Readonly<Record<string, string>>): Record<string, string> | undefined {
  if (elementText(xml, 'IsTruncated') !== 'true') return undefined
  const next = {
    'key-marker': elementText(xml, 'NextKeyMarker') ?? '',
    'upload-id-marker': elementText(xml, 'NextUploadIdMarker') ?? '',
  }
  // A page that leads to itself would go on for ever.
  return next['key-marker'] === marker['key-marker'] && next['upload-id-marker'] === marker['upload-id-marker']
    ? undefined
    : next
}
