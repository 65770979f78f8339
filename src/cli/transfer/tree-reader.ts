/** Reads the files below a directory as entries: their path is the key, their content the value. */

import { Buffer } from 'node:buffer'
import { KV_LIMITS } from '../../engines/kv/limits.ts'
import { showKey } from '../key-text.ts'
import { formatBytes } from '../quantities.ts'
import { forEachBounded, workLimits } from '../tree-files/bounded-work.ts'
import { readDiskFile } from '../tree-files/disk-file.ts'
import { listTree } from '../tree-files/input-tree.ts'
import type { InputFile } from '../tree-files/input-tree.ts'
import { UsageError } from '../usage-error.ts'
import { InputError } from './input-error.ts'
import { namesOf } from './import-source.ts'
import type { ImportSource } from './import-source.ts'
import { fillTemplate } from './key-template.ts'
import type { TemplatePart } from './key-template.ts'

export interface TreeOptions {
  readonly keyPrefix: readonly TemplatePart[]
  /** Directories to leave out, absolute: where the shard is. */
  readonly except: readonly string[]
  readonly signal: AbortSignal
}

export interface TreeReport {
  /** What could not be read, with the reason. */
  readonly leftOut: readonly string[]
  /** Symbolic links, and what is neither file nor directory. */
  readonly specials: number
}

/**
 * Files are read several at a time and taken in any order. One that cannot be read is left out; the others are taken.
 *
 * @throws {UsageError} the prefix asks for fields
 */
export async function readTree(
  source: ImportSource,
  { keyPrefix, except, signal }: TreeOptions,
  take: (key: Buffer, value: Buffer, file: string) => Promise<void>,
): Promise<TreeReport> {
  const prefix = fillTemplate(keyPrefix, namesOf(source), 1, () => undefined)
  if (prefix === undefined) throw new UsageError('for a tree, --key-prefix can use {file} and {path}')
  const tree = await listTree(source.path, { except, signal })
  const leftOut = [...tree.unreadable]
  const sizeOf = ({ size }: InputFile): number => size
  await forEachBounded(tree.files, workLimits(signal), sizeOf, async ({ path, size }) => {
    const file = `${source.path}/${showKey(path)}`
    let content: Buffer
    try {
      if (size > KV_LIMITS.valueBytesMax) throw new Error(`${formatBytes(size)} is more than a value can have`)
      content = (await readDiskFile(tree.root, path)).content
    } catch (error) {
      leftOut.push(`${file}: ${(error as Error).message}`)
      return
    }
    if (content.length > KV_LIMITS.valueBytesMax)
      throw new InputError({ file }, 'it has grown over the limit for a value')
    await take(Buffer.concat([Buffer.from(prefix), path]), content, file)
  })
  return { leftOut, specials: tree.symlinks + tree.specials }
}
