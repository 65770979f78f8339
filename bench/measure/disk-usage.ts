/** Bytes that a directory occupies, holes left out. */

import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const BLOCK_BYTES = 512

export function diskUsageBytes(directory: string): number {
  let bytes = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += lstatSync(join(entry.parentPath, entry.name)).blocks * BLOCK_BYTES
  }
  return bytes
}
