/**
 * A file as it was when it was ingested, and the two keys it has in the shard:
 *
 *      f/<path>   the content
 *      m/<path>   {"size":…,"mode":…,"mtimeMs":…}
 */

import type { FileStamp } from '../tree-files/disk-file.ts'
import type { TreePath } from '../tree-files/input-tree.ts'

export const CONTENT_PREFIX = Buffer.from('f/')
export const STAMP_PREFIX = Buffer.from('m/')

export interface IngestedFile {
  readonly path: TreePath
  readonly stamp: FileStamp
  /** XXH64 of the content. */
  readonly contentHash: bigint
  /** Both keys have been deleted from the shard since. */
  deleted: boolean
}

export function contentKey({ path }: { readonly path: TreePath }): Buffer {
  return Buffer.concat([CONTENT_PREFIX, path])
}

export function stampKey({ path }: { readonly path: TreePath }): Buffer {
  return Buffer.concat([STAMP_PREFIX, path])
}

export function encodeStamp({ size, mode, mtimeMs }: FileStamp): Buffer {
  return Buffer.from(JSON.stringify({ size, mode, mtimeMs }))
}

/** Bytes of keys and values that the file has in the shard. */
export function userBytes({ path, stamp }: IngestedFile): number {
  return CONTENT_PREFIX.length + STAMP_PREFIX.length + 2 * path.length + stamp.size + encodeStamp(stamp).length
}
