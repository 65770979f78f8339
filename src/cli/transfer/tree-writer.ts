/** Writes entries as files below a directory: the key is the path, the value the content. */

import { mkdir, readdir, writeFile } from 'node:fs/promises'
import type { KvEntry, KvRange } from '../../engines/kv/kv.ts'
import type { KvShard } from '../../engines/kv/kv-shard.ts'
import { deviceError } from '../../fs/device-error.ts'
import { showKey } from '../key-text.ts'
import type { Progress } from '../progress-bar.ts'
import { forEachBounded, workLimits } from '../tree-files/bounded-work.ts'
import { onDisk } from '../tree-files/input-tree.ts'
import { UsageError } from '../usage-error.ts'
import { ExportError } from './export-error.ts'
import { PathConflicts, pathFault } from './safe-path.ts'

const FAULTS_SHOWN = 10
const SEPARATOR = 0x2f

/** @throws {UsageError} the directory is there and not empty: nothing in it is to be replaced */
export async function checkTreeTarget(directory: string): Promise<void> {
  try {
    const names = await readdir(directory)
    if (names.length === 0) return
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new UsageError(`${directory} cannot be used: ${(error as Error).message}`)
  }
  throw new UsageError(`${directory} is not empty: name a new or an empty directory for the tree`)
}

/**
 * Looks at all keys before any file is written.
 *
 * @returns how many there are
 * @throws {ExportError} keys that cannot be paths, by name
 */
export async function checkTreeKeys(shard: KvShard, range: KvRange, signal: AbortSignal): Promise<number> {
  const conflicts = new PathConflicts()
  const faults: string[] = []
  let faultCount = 0
  let count = 0
  for await (const entries of shard.scan({ ...range, values: false, signal }).chunks()) {
    for (const { key } of entries) {
      count++
      const reason = faultOf(key, conflicts)
      if (reason === undefined) continue
      if (++faultCount <= FAULTS_SHOWN) faults.push(`${showKey(key)}: ${reason}`)
    }
  }
  if (faultCount === 0) return count
  if (faultCount > FAULTS_SHOWN) faults.push(`and ${faultCount - FAULTS_SHOWN} more`)
  throw new ExportError(
    'not every key is the path of a file, and nothing was written; --format jsonl takes any key',
    faults,
  )
}

/** Writes what `checkTreeKeys` has looked at. */
export async function writeTree(
  shard: KvShard,
  range: KvRange,
  directory: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(directory, { recursive: true })
  const made = new Set<string>()
  const sizeOf = ({ value }: KvEntry): number => value.length
  for await (const entries of shard.scan({ ...range, signal }).chunks()) {
    await forEachBounded(entries, workLimits(signal), sizeOf, async ({ key, value }) => {
      const path = Buffer.from(key.buffer, key.byteOffset, key.length)
      const end = path.lastIndexOf(SEPARATOR)
      if (end > 0) await makeFolder(directory, path.subarray(0, end), made)
      // Never through a link, never over what is there.
      await writeFile(onDisk(directory, path), value, { flag: 'wx' }).catch((error: unknown) => {
        throw deviceError(error, 'write', `${directory}/${showKey(key)}`)
      })
      progress.advance(1, value.length)
    })
  }
}

async function makeFolder(directory: string, folder: Buffer, made: Set<string>): Promise<void> {
  const name = folder.toString('latin1')
  if (made.has(name)) return
  await mkdir(onDisk(directory, folder), { recursive: true }).catch((error: unknown) => {
    throw deviceError(error, 'make directory', `${directory}/${showKey(folder)}`)
  })
  // Neighbours share folders; a few of them are enough to remember.
  if (made.size > 1000) made.clear()
  made.add(name)
}

function faultOf(key: Uint8Array, conflicts: PathConflicts): string | undefined {
  const reason = pathFault(key, process.platform === 'win32')
  if (reason !== undefined) return reason
  const conflict = conflicts.add(key)
  return conflict === undefined ? undefined : `${showKey(conflict)} is a key too, and cannot be file and directory`
}
