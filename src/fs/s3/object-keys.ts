/** Where objects are in a bucket, below the client's prefix. Spec: docs/formats/s3-objects.md. */

import type { FileName, ShardId } from '../../kernel/ids.ts'

export const FILES = 'files/'
export const CLAIMS = 'claims/'
export const PROBES = 'probes/'

export function fileKey(name: FileName): string {
  return `${FILES}${name}`
}

/** Of the claim of a file's name, while an upload of it is being completed. */
export function claimKey(name: FileName): string {
  return `${CLAIMS}${name}`
}

export function headKey(shard: ShardId): string {
  return `heads/${shard}`
}

export function probeKey(nonce: string): string {
  return `${PROBES}${nonce}`
}
