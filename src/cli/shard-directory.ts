/** Opening the shard that a command names: to read beside whoever owns it, or to own it. */

import { readdir } from 'node:fs/promises'
import type { KvRange } from '../engines/kv/kv.ts'
import type { KvShard } from '../engines/kv/kv-shard.ts'
import { deviceError } from '../fs/device-error.ts'
import { LOCK_NAME } from '../fs/directory-lock.ts'
import { readLockFile } from '../fs/lock-file.ts'
import { NodeDevice } from '../fs/node-device.ts'
import { NodeProcessTable } from '../fs/node-process-table.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'
import { openNamed } from '../local.ts'
import { InspectedDirectory } from '../local-inspection.ts'
import { OWN_NAMES } from '../local-layout.ts'
import type { Output } from './output.ts'
import { UsageError } from './usage-error.ts'

// One is nearly always enough: an owner replaces files every few seconds at most.
const ATTEMPTS_MAX = 5

/** Which shard of the directory. */
interface ShardOptions {
  readonly shard: ShardId
}

/**
 * Opens the shard as it is at this moment; another process may go on writing to it.
 *
 * The head is read first and what it names afterwards, so an owner may have replaced that meanwhile: then it is read
 * again. With `hold`, tables of that range are opened at once; as open files, they stay whatever the owner removes.
 *
 * @throws {VarveError} NOT_FOUND, and what `open` throws
 */
export async function openForReading(
  directory: string,
  options: ShardOptions & { readonly hold?: KvRange },
): Promise<KvShard> {
  for (let attempt = 1; ; attempt++) {
    const again = async (): Promise<boolean> => attempt < ATTEMPTS_MAX && (await ownerOf(directory)) !== undefined
    let shard: KvShard
    try {
      shard = await openNamed(directory, options.shard, { readOnly: true, jobs: 'inline' })
    } catch (error) {
      if (isCode(error, 'NOT_FOUND')) await requireShard(directory, options.shard)
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
  { shard, create }: ShardOptions & { readonly create?: { readonly output: Output } },
): Promise<KvShard> {
  if (create === undefined) return openOwned(directory, shard, false)
  const isNew = await checkPlace(directory)
  // Beside others, a name that was misspelt would silently become one more.
  if (!isNew) await requireShard(directory, shard)
  const opened = await openOwned(directory, shard, true)
  if (isNew) create.output.note(`varve: made a new shard in ${directory}`)
  return opened
}

async function openOwned(directory: string, shard: ShardId, createIfMissing: boolean): Promise<KvShard> {
  try {
    return await openNamed(directory, shard, { createIfMissing })
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) await requireShard(directory, shard)
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

/** Says which shards there are where it is none of them. @throws {VarveError} NOT_FOUND */
async function requireShard(directory: string, shard: ShardId): Promise<void> {
  let inspected: InspectedDirectory
  try {
    inspected = await InspectedDirectory.open(directory, undefined, shard)
  } catch (error) {
    // Nothing of any shard: there is nothing to be said but what was.
    if (isCode(error, 'NOT_FOUND')) return
    throw error
  }
  try {
    await inspected.requireShard(directory)
  } finally {
    await inspected.close()
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
