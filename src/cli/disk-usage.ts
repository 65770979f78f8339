/** Bytes a directory takes. */

import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deviceError } from '../fs/device-error.ts'

/** Lengths of all files below `directory`, except those in `except`. */
export async function directoryBytes(directory: string, except: readonly string[]): Promise<number> {
  let bytes = 0
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw deviceError(error, 'list', directory)
  })
  for (const entry of entries) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) bytes += await directoryBytes(path, except)
    else if (!except.includes(path)) bytes += (await lstat(path)).size
  }
  return bytes
}
