/** The files of a directory tree: what the main job ingests. */

import type { Dirent, Stats } from 'node:fs'
import { lstatSync } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { UsageError } from '../usage-error.ts'

/** A path below the root, with `/` between names: bytes, since a name need not be UTF-8. */
export type TreePath = Buffer

export interface InputTree {
  /** Absolute, without symbolic links. */
  readonly root: string
  /** Regular files, in the order of their paths' bytes. */
  readonly files: readonly InputFile[]
  readonly bytes: number
  /** Left out: symbolic links, and what is neither file nor directory. */
  readonly symlinks: number
  readonly specials: number
  /** Directories and files that could not be looked at, with the reason. */
  readonly unreadable: readonly string[]
}

export interface InputFile {
  readonly path: TreePath
  /** Bytes when it was found; it may have changed when it is read. */
  readonly size: number
}

const SEPARATOR = Buffer.from('/')

/**
 * Lists everything below `directory`.
 *
 * @param options.except directories that are left out, absolute and without symbolic links: where the shard is
 * @throws {UsageError} not a directory
 */
export async function listTree(
  directory: string,
  options: { readonly except: readonly string[]; readonly signal: AbortSignal },
): Promise<InputTree> {
  const root = await resolveRoot(directory)
  const except = new Set(options.except.map((path) => Buffer.from(path).toString('latin1')))
  const files: InputFile[] = []
  const unreadable: string[] = []
  let symlinks = 0
  let specials = 0
  const pending: (TreePath | undefined)[] = [undefined]
  while (pending.length > 0) {
    options.signal.throwIfAborted()
    const folder = pending.pop()
    for (const entry of await entriesOf(root, folder, unreadable)) {
      const path = folder === undefined ? entry.name : Buffer.concat([folder, SEPARATOR, entry.name])
      if (entry.isSymbolicLink()) symlinks++
      else if (entry.isDirectory()) {
        if (!except.has(onDisk(root, path).toString('latin1'))) pending.push(path)
      } else if (entry.isFile()) {
        const size = sizeOf(root, path, unreadable)
        if (size !== undefined) files.push({ path, size })
      } else specials++
    }
  }
  files.sort((a, b) => Buffer.compare(a.path, b.path))
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return { root, files, bytes, symlinks, specials, unreadable }
}

/** Where `path` is, for the system. */
export function onDisk(root: string, path: TreePath): Buffer {
  return Buffer.concat([Buffer.from(root), SEPARATOR, path])
}

/** @throws {UsageError} not a directory */
export async function resolveRoot(directory: string): Promise<string> {
  let found: Stats
  try {
    found = await stat(directory)
  } catch (error) {
    throw new UsageError(`the input directory cannot be read: ${(error as Error).message}`)
  }
  if (!found.isDirectory()) throw new UsageError(`the input ${directory} is not a directory`)
  return realpath(directory)
}

async function entriesOf(
  root: string,
  folder: TreePath | undefined,
  unreadable: string[],
): Promise<readonly Dirent<Buffer>[]> {
  const path = folder === undefined ? Buffer.from(root) : onDisk(root, folder)
  try {
    return await readdir(path, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    unreadable.push((error as Error).message)
    return []
  }
}

// Synchronous: 1 µs each, where the asynchronous twin takes a round trip to a thread.
function sizeOf(root: string, path: TreePath, unreadable: string[]): number | undefined {
  try {
    return lstatSync(onDisk(root, path)).size
  } catch (error) {
    unreadable.push((error as Error).message)
    return undefined
  }
}
