/**
 * What is where in the directory of a database, served ones too. Never changes: every directory there is has it.
 *
 *      <directory>/lock          who has it open
 *      <directory>/heads/        the heads, one for each shard
 *      <directory>/journal/      segments, by shard
 *      <directory>/files/        tables and manifests
 *      <directory>/reserve       space set aside for the day the disk is full
 *      <directory>/unfinished/   what a repair or a checkpoint makes, until it is whole; it has a `lock` of its own
 */

import { LOCK_NAME } from './fs/directory-lock.ts'
import { readLockFile } from './fs/lock-file.ts'
import { RESERVE_NAME } from './fs/local-reserve.ts'
import { UNFINISHED_SUFFIX } from './fs/local-file-writer.ts'
import { NodeProcessTable } from './fs/node-process-table.ts'
import type { Device } from './kernel/device.ts'
import { VarveError } from './kernel/errors.ts'
import { shardId } from './kernel/ids.ts'
import { LIMITS } from './kernel/limits.ts'

export const HEADS = 'heads'
export const JOURNAL = 'journal'
export const FILES = 'files'
/** A database that is being made, none of which is in its place yet. */
export const UNFINISHED = 'unfinished'

/** Where there is none of these, no shard has been. */
export const SHARD_FOLDERS: readonly string[] = Object.freeze([HEADS, JOURNAL, FILES])
/** Whatever else is there is somebody else's. */
export const OWN_NAMES: ReadonlySet<string> = new Set([...SHARD_FOLDERS, LOCK_NAME, RESERVE_NAME])

/** The shard of a directory that nobody has composed otherwise. */
export const MAIN_SHARD = shardId('main')

// What Linux takes. Other systems refuse what is too long for them when it comes to that.
const PATH_BYTES_MAX = 4095
/** The longest path below: of a file that is being written. */
const BELOW_BYTES_MAX = `/${FILES}/`.length + LIMITS.fileNameLengthMax + UNFINISHED_SUFFIX.length

/**
 * Before anything is made: a path with room for some of our names, and none for others, would be that of a database which
 * opens, and cannot flush.
 *
 * @param root absolute
 * @throws {VarveError} LIMIT_EXCEEDED
 */
export function requirePathRoom(root: string): void {
  const [size, limit] = [Buffer.byteLength(root), PATH_BYTES_MAX - BELOW_BYTES_MAX]
  if (size <= limit) return
  const why = `those of its files would be longer than the ${PATH_BYTES_MAX} bytes that the system takes`
  throw new VarveError(
    'LIMIT_EXCEEDED',
    `the path of a database has at most ${limit} bytes, this one ${size}: ${why}`,
    {
      details: { what: 'path of a database', size, limit },
    },
  )
}

/**
 * To whoever opens it, what was not put in its place is missing, and a new database would be made beside it.
 *
 * @param device of the directory
 * @throws {VarveError} LOCKED — a live process is making the database; HEAD_CORRUPT — nobody does any more
 */
export async function refuseUnfinished(device: Device, directory: string): Promise<void> {
  if ((await device.stat(HEADS)) !== undefined || (await device.stat(UNFINISHED)) === undefined) return
  const pid = await maker(device)
  if (pid !== undefined) {
    throw new VarveError('LOCKED', `${directory} is being made by process ${pid}: wait for its end`, {
      details: { path: directory, holder: { pid } },
    })
  }
  const remedy = `remove ${directory}, and make it again`
  throw new VarveError('HEAD_CORRUPT', `${directory} is a part of a checkpoint or repair that did not end: ${remedy}`, {
    details: { file: UNFINISHED, path: directory },
  })
}

/** Number of the live process that makes the database of this directory. */
export async function maker(device: Device): Promise<number | undefined> {
  const holder = await readLockFile(device, `${UNFINISHED}/${LOCK_NAME}`)
  if (typeof holder !== 'object' || !new NodeProcessTable().isAlive(holder)) return undefined
  return holder.pid
}
