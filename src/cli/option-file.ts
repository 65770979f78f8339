/** The text of a file that an option names. */

import { readFile } from 'node:fs/promises'
import { UsageError } from './usage-error.ts'

/** @throws {UsageError} it cannot be read; `command` is whose option names it */
export async function textOf(path: string, command: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`, command)
  }
}
