/**
 * Taking a local database away: what `src/local.ts` puts into a directory, and nothing else.
 *
 * The heads go last: a directory of which only a part could be removed is a damaged database, never an empty one. Called
 * again, this goes on.
 */

import { VarveError, isCode } from './kernel/errors.ts'
import { headFileShard } from './fs/head-file.ts'
import { RESERVE_NAME } from './fs/local-reserve.ts'
import { NodeDevice } from './fs/node-device.ts'
import { lockDirectory } from './local-lock.ts'
import { SystemRandom } from './system-random.ts'
import { FILES, HEADS, JOURNAL, MAIN_SHARD, OWN_NAMES, UNFINISHED } from './local-layout.ts'

/** Directories, in the order in which they are emptied and removed, and what varve calls its files there. */
const CONTENTS: readonly (readonly [directory: string, isOurs: (name: string) => boolean])[] = [
  [`${JOURNAL}/${MAIN_SHARD}`, (name) => /^(?:(?:fence|synced)\.[0-9]+-[0-9]+|[0-9]+-[0-9]+-[0-9]+\.log)$/.test(name)],
  [JOURNAL, () => false],
  [FILES, (name) => name.startsWith(`${MAIN_SHARD}.`)],
  // Who made the database may have been killed when all was in its place.
  [UNFINISHED, () => false],
  [HEADS, (name) => headFileShard(name) === MAIN_SHARD || /^unfinished-[0-9a-f]+$/.test(name)],
]

/**
 * Removes the database in `directory`, and the directory itself if nothing else is in it. Does nothing where there is no
 * database.
 *
 * @throws {TypeError} not a path
 * @throws {VarveError} UNSUPPORTED — other shards are there, such as clones, and may share its tables
 * @throws {VarveError} LOCKED — a live process has it open; PERMISSION_DENIED, IO_FAILED
 */
export async function destroy(directory: string): Promise<void> {
  if (typeof directory !== 'string' || directory === '') throw new TypeError('directory must be a path')
  const device = new NodeDevice(directory)
  const found = (await namesIn(device, '.')) ?? []
  if (!found.some((name) => OWN_NAMES.has(name))) return
  const lock = await lockDirectory(device, directory, new SystemRandom())
  try {
    await lock.removeLeftovers()
    await refuseOthers(device, directory)
    if (found.includes(RESERVE_NAME)) await device.unlink(RESERVE_NAME)
    await emptyDirectory(device)
  } finally {
    await lock.release()
  }
  await removeIfEmpty(device, '.')
}

/** Without the tables of `main`, what was cloned from it or took its place would be damaged. */
async function refuseOthers(device: NodeDevice, directory: string): Promise<void> {
  for (const name of (await namesIn(device, HEADS)) ?? []) {
    const shard = headFileShard(name)
    if (shard === undefined || shard === MAIN_SHARD) continue
    const remedy = 'remove the directory as a whole'
    throw new VarveError('UNSUPPORTED', `shard ${shard} in ${directory} may share tables of the database: ${remedy}`, {
      details: { capability: 'destroy', path: directory, shard },
    })
  }
}

/** Removes what varve has put there, but for the lock. */
export async function emptyDirectory(device: NodeDevice): Promise<void> {
  for (const [path, isOurs] of CONTENTS) await empty(device, path, isOurs)
}

async function empty(device: NodeDevice, directory: string, isOurs: (name: string) => boolean): Promise<void> {
  for (const name of (await namesIn(device, directory)) ?? []) {
    if (isOurs(name)) await device.unlink(`${directory}/${name}`)
  }
  await removeIfEmpty(device, directory)
}

/** Removes a directory in which nothing is left. */
export async function removeIfEmpty(device: NodeDevice, directory: string): Promise<void> {
  try {
    if ((await device.list(directory)).length === 0) await device.removeDirectory(directory)
  } catch (error) {
    // It has gone, or somebody has put something into it since.
    if (!isCode(error, 'NOT_FOUND', 'EXISTS', 'IO_FAILED')) throw error
  }
}

/** Entries of a directory; undefined where it is missing. */
export async function namesIn(device: NodeDevice, directory: string): Promise<readonly string[] | undefined> {
  try {
    return (await device.list(directory)).map(({ name }) => name)
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return undefined
    throw error
  }
}
