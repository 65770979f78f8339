/** What is to be imported: standard input, files and directories, looked at before anything is done. */

import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { UsageError } from '../usage-error.ts'
import { formatOfName } from './formats.ts'
import type { Format } from './formats.ts'
import type { SourceNames } from './key-template.ts'

export interface ImportSource {
  /** As it was given; `-` is standard input. */
  readonly path: string
  readonly format: Format
  /** Length of a file; undefined where there is none to be had before the end. */
  readonly bytes: number | undefined
}

/** @throws {UsageError} not there, or of a format that does not show */
export async function importSources(
  paths: readonly string[],
  format: Format | undefined,
): Promise<readonly ImportSource[]> {
  if (paths.indexOf('-') !== paths.lastIndexOf('-')) throw new UsageError('standard input can be read once')
  return Promise.all(paths.map(async (path) => (path === '-' ? standardInput(format) : fileSource(path, format))))
}

/** What a template for keys calls it. */
export function namesOf({ path }: ImportSource): SourceNames {
  if (path === '-') return { file: '-', path }
  const name = basename(resolve(path))
  return { file: basename(name, extname(name)), path }
}

function standardInput(format: Format | undefined): ImportSource {
  if (format === undefined) throw new UsageError('say what standard input is: --format jsonl or --format csv')
  if (format === 'tree') throw new UsageError('a tree of files cannot be read from standard input: name its directory')
  return { path: '-', format, bytes: undefined }
}

async function fileSource(path: string, given: Format | undefined): Promise<ImportSource> {
  let found: Stats
  try {
    found = await stat(path)
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`)
  }
  if (found.isDirectory()) {
    if (given !== undefined && given !== 'tree') throw new UsageError(`${path} is a directory, not a file of ${given}`)
    return { path, format: 'tree', bytes: undefined }
  }
  if (given === 'tree') throw new UsageError(`${path} is not a directory: --format tree imports the files below one`)
  const format = given ?? formatOfName(path)
  if (format === undefined)
    throw new UsageError(`the name ${path} does not tell the format: give --format jsonl or csv`)
  return { path, format, bytes: found.isFile() ? found.size : undefined }
}
