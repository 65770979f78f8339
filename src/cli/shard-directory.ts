/** Opening the shard that a command names: to read beside whoever owns it, or to own it. */

import { readdir } from 'node:fs/promises'
import type { KvRange } from '../engines/kv/kv.ts'
import type { KvShard } from '../engines/kv/kv-shard.ts'
import { deviceError } from '../fs/device-error.ts'
import { readLockFile } from '../fs/lock-file.ts'
import { NodeDevice } from '../fs/node-device.ts'
import { NodeProcessTable } from '../fs/node-process-table.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { open } from '../local.ts'
import type { Output } from './output.ts'
import { UsageError } from './usage-error.ts'
import { OWN_NAMES } from '../local-layout.ts'
import { LOCK_NAME } from '../fs/directory-lock.ts'

// One is nearly always enough: an owner replaces files every few seconds at most.
const ATTEMPTS_MAX = 5

/**
 * Opens the shard as it is at this moment; another process may go on writing to it.
 *
 * The head is read first and what it names afterwards, so an owner may have replaced that meanwhile: then it is read
 * again. With `hold`, tables of that range are opened at once; as open files, they stay whatever the owner removes.
 *
 * @throws {VarveError} NOT_FOUND, and what `open` throws
 */
export async function openForReading(directory: string, options: { readonly hold?: KvRange } = {}): Promise<KvShard> {
  for (let attempt = 1; ; attempt++) {
    const again = async (): Promise<boolean> => attempt < ATTEMPTS_MAX && (await ownerOf(directory)) !== undefined
    let shard: KvShard
    try {
      shard = await open(directory, { readOnly: true, jobs: 'inline' })
    } catch (error) {
      const overtaken = isCode(error, 'FILE_MISSING', 'JOURNAL_CORRUPT', 'HEAD_CORRUPT')
      if (overtaken && (await again())) continue
      throw error
    }
    if (options.hold === undefined || (await holdTables(shard, options.hold)) || !(await again())) return shard
    await shard.close()
  }
}

/** Asking how large a range is opens its tables, and reads their indexes. False where one has gone. */
async function holdTables(shard: KvShard, range: KvRange): Promise<boolean> {
  try {
    await shard.approximateSize(range)
    return true
  } catch (error) {
    // Damage is told by whoever gets to it.
    if (error instanceof VarveError) return !isCode(error, 'FILE_MISSING')
    throw error
  }
}

/** Number of the live process that has the shard open for writing. */
async function ownerOf(directory: string): Promise<number | undefined> {
  const holder = await readLockFile(new NodeDevice(directory, { readOnly: true }), LOCK_NAME)
  if (holder === undefined || typeof holder === 'string') return undefined
  return new NodeProcessTable().isAlive(holder) ? holder.pid : undefined
}

/**
 * Opens the shard to change it.
 *
 * @param options.create makes it where there is none, and says so; default: NOT_FOUND
 * @throws {UsageError} to be made in a directory that holds other things
 * @throws {VarveError} LOCKED, PERMISSION_DENIED, and what `open` throws
 */
export async function openForWriting(
  directory: string,
  options: { readonly create?: { readonly output: Output } } = {},
): Promise<KvShard> {
  if (options.create === undefined) return openOwned(directory, false)
  const isNew = await checkPlace(directory)
  const shard = await openOwned(directory, true)
  if (isNew) options.create.output.note(`varve: made a new shard in ${directory}`)
  return shard
}

async function openOwned(directory: string, createIfMissing: boolean): Promise<KvShard> {
  try {
    return await open(directory, { createIfMissing })
  } catch (error) {
    if (!isCode(error, 'LOCKED')) throw error
    // To the lock, the directory is `.`; and who opens it read-only here names another command.
    const holder = await ownerOf(directory)
    // Of a lock that cannot be read, or was let go meanwhile, the error says more.
    if (holder === undefined) throw error
    throw new VarveError('LOCKED', `${directory} is open in process ${holder}`, {
      details: error.details,
      cause: error,
    })
  }
}

/** True where nothing is there yet. */
async function checkPlace(directory: string): Promise<boolean> {
  let names: readonly string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true
    if (code === 'ENOTDIR')
      throw new UsageError(`${directory} is a file: DIR is the directory of a shard, and stands first`)
    throw deviceError(error, 'list', directory)
  }
  if (names.some((name) => OWN_NAMES.has(name))) return false
  if (names.length === 0) return true
  throw new UsageError(`there is no shard in ${directory}, but other things are: name a new or an empty directory`)
}
