/**
 * The directory lock: one live process at a time, and no stale lock after `kill -9`.
 *
 * A lock file names its holder (lock-file.ts). Putting it in place by `link`, which fails where the name is taken, is
 * taking the lock.
 *
 * Taking over from a dead holder must not race with others who do the same. So nobody removes a dead holder's file:
 * the successor of nonce N is whoever links `lock.N`, and the owner is the live end of the chain
 *
 *      lock ──► lock.<nonce of its holder> ──► lock.<nonce of that one> ──► …
 *
 * The owner then walks the chain again from `lock`. If it still ends with itself, it renames its file over `lock`, where
 * whoever comes finds a live holder at once, and removes the links it passed.
 *
 * Why there is never more than one:
 *
 * - `lock` changes by three steps only: a link where there is none, the rename of one whose second walk succeeded, and
 *   the unlink of one who holds it and releases it. A nonce that has left `lock` never comes back.
 * - While `lock` names D, the chain from it only grows, at a dead end: nobody links behind a live one, the dead do
 *   nothing, and links are removed only after a rename or by a live one who takes back its own.
 * - So at most one live process can be in the chain, and only that one may rename. One who looked at `lock` before a
 *   rename may still link a name that has just been removed; its second walk begins at the new `lock`, does not end with
 *   itself, and it takes its link back.
 *
 * This rests on the process table: who has once been dead stays dead, and has no system call under way. Where files can
 * be held (file-holds.ts), a holder is also alive as long as its lock file is held. It is held before it is put in place
 * and never again once it was let go, so this too is over for good once it is over.
 *
 * The lock proves liveness, not ownership: that is what epochs are for. Spec: docs/formats/lock.md.
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { nonce } from '../kernel/random.ts'
import type { Random } from '../kernel/random.ts'
import { joinPath } from './device-path.ts'
import type { FileHold, FileHolds } from './file-holds.ts'
import { readLockFile, writeLockFile } from './lock-file.ts'
import type { LockHolder } from './lock-file.ts'
import type { ProcessTable } from './process-table.ts'

/** Name of the file. */
export const LOCK_NAME = 'lock'
/** Before the nonce of a dead holder: its successor. */
const LINK_PREFIX = 'lock.'
/** Before one's own nonce: the file that is put in place. */
const ASIDE_PREFIX = 'lock-'
// Walks are repeated only while others come and go; that many in a row is a directory that cannot be locked.
const ATTEMPTS_MAX = 100
// One link for every process that died while it took over from the one before; also ends a circle that somebody made.
const CHAIN_LENGTH_MAX = 1000

interface ChainEnd {
  /** The live holder the chain ends with; undefined where it ends with a free name. */
  readonly holder: LockHolder | undefined
  /** The last name of the chain: the holder's, or the free one. */
  readonly name: string
}

/** What is locked, and what tells whether its holder lives. */
export interface DirectoryLockOptions {
  /** The device that has the directory. */
  readonly device: Device
  /** The directory; it must exist. */
  readonly directory: string
  /** How messages name it. Default: as the device does. */
  readonly shownAs?: string
  /** Who is alive on this machine. */
  readonly processes: ProcessTable
  /** Finds live holders that the process table does not see. Default: nothing does. */
  readonly holds?: FileHolds
  /** Makes the nonce of this holder. */
  readonly random: Random
}

type ShownOptions = DirectoryLockOptions & { readonly shownAs: string }

/** A lock that is held, from `acquire` on until `release`. */
export class DirectoryLock {
  readonly #options: ShownOptions
  readonly #nonce: string
  /** The lock file, under whatever name. */
  #file: DeviceFile | undefined
  #hold: FileHold | undefined
  #released: Promise<void> | undefined

  private constructor(options: ShownOptions, ownNonce: string) {
    this.#options = options
    this.#nonce = ownNonce
  }

  /** @throws {VarveError} LOCKED — a live process holds it (this one, perhaps). details: path, holder */
  static async acquire(options: DirectoryLockOptions): Promise<DirectoryLock> {
    const { device, directory, processes, random, shownAs = directory } = options
    const shown: ShownOptions = { ...options, shownAs }
    const holder: LockHolder = { ...processes.self(), nonce: nonce(random) }
    const aside = joinPath(directory, `${ASIDE_PREFIX}${holder.nonce}`)
    const lock = new DirectoryLock(shown, holder.nonce)
    try {
      lock.#file = await writeLockFile(device, aside, holder)
      lock.#hold = options.holds?.hold(aside)
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (await acquireOnce(shown, aside, holder)) return lock
      }
      throw new VarveError('LOCKED', `${shownAs} is being opened and closed by others all the time`, {
        details: { path: shownAs },
      })
    } catch (error) {
      await lock.release().catch(() => undefined)
      throw error
    } finally {
      await tidy(device, aside)
    }
  }

  /**
   * Removes what processes have left that were killed before they had the lock. A take-over does so by itself; where they
   * left no lock there is none, and each would leave another file.
   */
  removeLeftovers(): Promise<void> {
    return sweep(this.#options)
  }

  /** Idempotent. Removes this lock and no other. */
  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    const { device, directory } = this.#options
    try {
      const removed = removeOwn(device, joinPath(directory, LOCK_NAME), this.#nonce)
      // Where the directory was renamed, the file is still somewhere, and this process still alive: torn, it can only be stale.
      if (!(await removed.catch(() => false))) await this.#file?.truncate(0)
    } finally {
      await this.#file?.close()
      this.#hold?.release()
    }
  }
}

/** True when the lock is ours; false when the chain changed meanwhile and has to be walked again. */
async function acquireOnce(options: ShownOptions, aside: string, own: LockHolder): Promise<boolean> {
  const { device, directory } = options
  const end = await walk(options)
  if (end.holder !== undefined) throw locked(options.shownAs, end.holder)
  const place = joinPath(directory, end.name)
  try {
    if (!(await linkIfFree(device, aside, place))) return false
    if (end.name === LOCK_NAME) return true
    const again = await walk(options)
    if (again.holder?.nonce === own.nonce) {
      await device.rename(aside, joinPath(directory, LOCK_NAME))
      await sweep(options)
      return true
    }
  } catch (error) {
    // We are alive: a link that stayed would keep everybody out, ourselves included. A device may fail after the deed,
    // so even a link that failed may be there.
    await removeOwn(device, place, own.nonce).catch(() => undefined)
    throw error
  }
  await tidy(device, place)
  return false
}

async function linkIfFree(device: Device, existing: string, created: string): Promise<boolean> {
  try {
    await device.link(existing, created)
    return true
  } catch (error) {
    if (isCode(error, 'EXISTS')) return false
    throw error
  }
}

/** Removes a lock file if it is the one of a live `nonce`, which nobody else replaces. True where it was. */
async function removeOwn(device: Device, path: string, ownNonce: string): Promise<boolean> {
  const holder = await readLockFile(device, path)
  if (typeof holder !== 'object' || holder.nonce !== ownNonce) return false
  await device.unlink(path)
  return true
}

/** Follows the chain to its live end, or to the first name that is free. */
async function walk(options: ShownOptions): Promise<ChainEnd> {
  const { device, directory, shownAs } = options
  let name = LOCK_NAME
  for (let length = 0; length < CHAIN_LENGTH_MAX; length++) {
    const path = joinPath(directory, name)
    const holder = await readLockFile(device, path)
    if (holder === undefined) return { holder: undefined, name }
    if (holder === 'unreadable') throw unreadable(options.shownAs, name)
    if (holder === 'torn') {
      // It has no nonce; its successor's name is as unique as its own.
      name = name === LOCK_NAME ? `${LINK_PREFIX}torn` : `${name}-torn`
    } else if (isAlive(options, path, holder)) {
      return { holder, name }
    } else {
      name = `${LINK_PREFIX}${holder.nonce}`
    }
  }
  throw new VarveError('LOCKED', `the lock files of ${shownAs} form a circle: remove ${LINK_PREFIX}*`, {
    details: { path: shownAs },
  })
}

function isAlive(options: DirectoryLockOptions, path: string, holder: LockHolder): boolean {
  return options.processes.isAlive(holder) || options.holds?.isHeld(path) === true
}

/**
 * Removes what dead processes have left, once `lock` is ours: links that nothing leads to any more, and files that
 * nobody will put in place.
 */
async function sweep(options: DirectoryLockOptions): Promise<void> {
  const { device, directory } = options
  try {
    for (const { name } of await device.list(directory)) {
      const path = joinPath(directory, name)
      if (name.startsWith(LINK_PREFIX)) await tidy(device, path)
      if (!name.startsWith(ASIDE_PREFIX)) continue
      const holder = await readLockFile(device, path)
      // A torn one may be just being written.
      if (typeof holder === 'object' && !isAlive(options, path, holder)) await tidy(device, path)
    }
  } catch {
    // The lock is held all the same; the next one who takes over will sweep.
  }
}

/** Removes a file nobody needs: a failure leaves it lying, and must not hide how things went. */
async function tidy(device: Device, path: string): Promise<void> {
  await device.unlink(path).catch(() => undefined)
}

function locked(directory: string, holder: LockHolder): VarveError {
  return new VarveError(
    'LOCKED',
    `${directory} is open in process ${holder.pid}: close it there, or open it read-only`,
    { details: { path: directory, holder: { pid: holder.pid } } },
  )
}

function unreadable(directory: string, name: string): VarveError {
  const path = joinPath(directory, name)
  return new VarveError(
    'LOCKED',
    `${path} cannot be read: a newer version wrote it, or it is damaged; remove it if no process uses ${directory}`,
    { details: { path: directory, file: path, holder: { pid: undefined } } },
  )
}
