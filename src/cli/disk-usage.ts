/** Bytes a directory takes. */

import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Lengths of all files below `directory`, except those in `except`. */
export async function directoryBytes(directory: string, except: readonly string[]): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) bytes += await directoryBytes(path, except)
    else if (!except.includes(path)) bytes += (await lstat(path)).size
  }
  return bytes
}
