/** Checkpoints on this machine: a copy of a live database in another directory. */

import { throwIfAborted } from './kernel/errors.ts'
import { loadHash } from './kernel/hash.ts'
import { checkOptionNames } from './kernel/option-names.ts'
import type { AbortOptions } from './fs/fs.ts'
import { EncryptedFileStore } from './fs/encrypted-file-store.ts'
import { EncryptedHeadStore } from './fs/encrypted-head-store.ts'
import { KeyRing } from './fs/key-ring.ts'
import type { EncryptionKey } from './fs/key-ring.ts'
import { LocalFileStore } from './fs/local-file-store.ts'
import { LocalHeadStore } from './fs/local-head-store.ts'
import { RemovableDevice } from './fs/removable-device.ts'
import { lockDirectory } from './local-lock.ts'
import { makeWhole } from './local-unfinished.ts'
import { checkWrapping } from './local-wrappers.ts'
import type { CheckpointTarget } from './shard/shard.ts'
import { SystemRandom } from './system-random.ts'
import { FILES, HEADS } from './local-layout.ts'

/** What can be copied: a `KvShard`, or the open shard of another engine. */
export interface Checkpointed {
  /** As `Shard.checkpoint`: copies one moment to the stores of `target`. */
  checkpoint(target: CheckpointTarget, options?: AbortOptions): Promise<void>
}

/** How the copy is to be stored. Its `signal` ends the copying, of which nothing is left then. */
export interface CheckpointOptions extends AbortOptions {
  /**
   * Encrypts the copy, under the first of these keys, whatever the original is or is not encrypted with. Default: the copy
   * is not encrypted, not even that of a database which is.
   */
  readonly encryption?: { readonly keys: readonly EncryptionKey[] }
}

const OPTIONS: Readonly<Record<keyof CheckpointOptions, true>> = { encryption: true, signal: true }

/**
 * Copies this moment of `db` to `directory`, which must be empty or missing, and can then be opened like any other. Reads
 * and writes of `db` go on meanwhile. It survives a power cut when this has resolved.
 *
 * On the same file system tables are hard links, which costs next to nothing, in time or space; a backup against a broken
 * disk has to be on another one, and is copied, and checked on the way. It is made in `unfinished` below `directory`, and
 * in its place once it is whole: where it rejects, nothing is left of it; where the process is killed, what is left does not
 * open (HEAD_CORRUPT) until it has been removed.
 *
 * @throws {TypeError} {RangeError} an argument or option is wrong or unknown; the message names it
 * @throws {VarveError} EXISTS — the directory has something in it; LIMIT_EXCEEDED — its path is too long; LOCKED,
 *   NO_SPACE, ABORTED, and what `Shard.checkpoint` throws
 */
export async function checkpoint(db: Checkpointed, directory: string, options: CheckpointOptions = {}): Promise<void> {
  if (typeof db?.checkpoint !== 'function') throw new TypeError('db must be an open database')
  if (typeof directory !== 'string' || directory === '') throw new TypeError('directory must be a path')
  checkOptionNames(options, OPTIONS)
  checkWrapping(options)
  const { encryption, ...abort } = options
  throwIfAborted(abort.signal)
  const keys = encryption === undefined ? undefined : new KeyRing(encryption.keys)
  let device: RemovableDevice | undefined
  const copy = (unfinished: string): Promise<void> => {
    device = new RemovableDevice(unfinished)
    return copyTo(db, device, directory, { keys, abort })
  }
  await makeWhole(directory, copy, async () => device?.removeMade())
}

interface Wanted {
  readonly keys: KeyRing | undefined
  readonly abort: AbortOptions
}

async function copyTo(db: Checkpointed, device: RemovableDevice, directory: string, wanted: Wanted): Promise<void> {
  const random = new SystemRandom()
  const lock = await lockDirectory(device, directory, random)
  try {
    await copyLocked(db, device, wanted, random)
  } catch (error) {
    await lock.release().catch(() => undefined)
    throw error
  }
  await lock.release()
}

async function copyLocked(
  db: Checkpointed,
  device: RemovableDevice,
  { keys, abort }: Wanted,
  random: SystemRandom,
): Promise<void> {
  const hash = await loadHash()
  const files = await LocalFileStore.open({ device, directory: FILES, hash })
  const heads = await LocalHeadStore.open({ device, directory: HEADS, hash, random })
  try {
    if (keys === undefined) {
      await db.checkpoint({ files, heads, adopt: (refs, source) => files.adopt(refs, source) }, abort)
    } else {
      const encryption = { keys, random, hash }
      // No links: what is linked has the encryption that it has.
      const target = {
        files: new EncryptedFileStore(files, encryption),
        heads: new EncryptedHeadStore(heads, encryption),
      }
      await db.checkpoint(target, abort)
    }
  } catch (error) {
    // So that nothing is begun that is not removed.
    await files.close().catch(() => undefined)
    throw error
  }
  await files.close()
}
