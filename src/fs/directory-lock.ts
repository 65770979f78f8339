/**
 * The directory lock: one live process at a time, and no stale lock after `kill -9`.
 *
 * A lock file names its holder: boot, process, start time, nonce. Files are written aside and put in place by `link`,
 * which fails where the name is taken, so a lock file is whole or not there. (After a power cut it may be torn; then
 * nobody who could have held it is alive, so an unreadable one counts as left behind.)
 *
 * Taking over from a dead holder must not race with others who do the same. So nobody removes a dead holder's file:
 * the successor of nonce N is whoever links `lock.N`, and the owner is the live end of the chain
 *
 *      lock ──► lock.<nonce of its holder> ──► lock.<nonce of that one> ──► …
 *
 * The owner then walks the chain again from `lock`. If it still ends with itself, it renames a copy of its file over
 * `lock` (whoever looks there sees a live holder) and removes the links it passed. One who looked at `lock` before that
 * rename may still link a name that was just removed; its second walk ends with the live owner, and it gives way.
 *
 * The lock proves liveness, not ownership: that is what epochs are for.
 */

import type { Device } from '../kernel/device.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { nonce } from '../kernel/random.ts'
import type { Random } from '../kernel/random.ts'
import { joinPath } from './device-path.ts'
import type { ProcessIdentity, ProcessTable } from './process-table.ts'

const LOCK_NAME = 'lock'
// Walks are repeated only while others come and go; that many in a row is a directory that cannot be locked.
const ATTEMPTS_MAX = 100

interface Holder extends ProcessIdentity {
  readonly nonce: string
}

interface ChainEnd {
  /** Where a successor would link: undefined when the chain ends with a live holder. */
  readonly free: string | undefined
  readonly holder: Holder | undefined
  /** Links passed, the first one (`lock` itself) not included. */
  readonly passed: readonly string[]
}

export interface DirectoryLockOptions {
  readonly device: Device
  /** The directory; it must exist. */
  readonly directory: string
  readonly processes: ProcessTable
  readonly random: Random
}

export class DirectoryLock {
  readonly #device: Device
  readonly #directory: string
  readonly #nonce: string
  #released: Promise<void> | undefined

  private constructor(device: Device, directory: string, ownNonce: string) {
    this.#device = device
    this.#directory = directory
    this.#nonce = ownNonce
  }

  /** @throws {VarveError} LOCKED — a live process holds it (this one, perhaps) */
  static async acquire(options: DirectoryLockOptions): Promise<DirectoryLock> {
    const { device, directory, processes, random } = options
    const holder: Holder = { ...processes.self(), nonce: nonce(random) }
    const aside = joinPath(directory, `${LOCK_NAME}-${holder.nonce}`)
    await writeHolder(device, aside, holder)
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (await acquireOnce(options, aside, holder)) return new DirectoryLock(device, directory, holder.nonce)
      }
      throw new VarveError('LOCKED', `${directory} is being opened and closed by others all the time`, {
        details: { path: directory },
      })
    } finally {
      await unlinkIfThere(device, aside)
    }
  }

  /** Idempotent. Removes this lock and no other. */
  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    const path = joinPath(this.#directory, LOCK_NAME)
    const holder = await readHolder(this.#device, path)
    if (holder !== 'missing' && holder?.nonce === this.#nonce) await unlinkIfThere(this.#device, path)
  }
}

/** True when the lock is ours; false when the chain changed meanwhile and has to be walked again. */
async function acquireOnce(options: DirectoryLockOptions, aside: string, holder: Holder): Promise<boolean> {
  const { device, directory } = options
  const end = await walk(options)
  if (end.free === undefined) throw locked(directory, end.holder)
  const place = joinPath(directory, end.free)
  try {
    await device.link(aside, place)
  } catch (error) {
    if (isCode(error, 'EXISTS')) return false
    throw error
  }
  if (end.free === LOCK_NAME) return true
  const again = await walk(options)
  if (again.holder?.nonce !== holder.nonce) {
    await unlinkIfThere(device, place)
    return false
  }
  const copy = `${aside}-root`
  await writeHolder(device, copy, holder)
  await device.rename(copy, joinPath(directory, LOCK_NAME))
  for (const name of again.passed) await unlinkIfThere(device, joinPath(directory, name))
  return true
}

/** Follows the chain to its live end, or to the first name that is free. */
async function walk(options: DirectoryLockOptions): Promise<ChainEnd> {
  const { device, directory, processes } = options
  const passed: string[] = []
  for (let name = LOCK_NAME; ;) {
    const holder = await readHolder(device, joinPath(directory, name))
    if (holder === 'missing') return { free: name, holder: undefined, passed }
    if (holder !== undefined && processes.isAlive(holder)) return { free: undefined, holder, passed }
    // A torn file has no nonce; all such have the same successor, which is as unique as the name it stands under.
    name = `${LOCK_NAME}.${holder?.nonce ?? `torn-${name}`}`
    passed.push(name)
  }
}

function locked(directory: string, holder: Holder | undefined): VarveError {
  return new VarveError(
    'LOCKED',
    `${directory} is open in process ${holder?.pid ?? 'unknown'}: close it there, or open it read-only`,
    {
      details: { path: directory, holder: { pid: holder?.pid } },
    },
  )
}

async function writeHolder(device: Device, path: string, holder: Holder): Promise<void> {
  const text = `varve lock 1\n${holder.bootId}\n${holder.pid}\n${holder.startedAt}\n${holder.nonce}\n`
  const file = await device.open(path, 'create')
  try {
    await file.write([new TextEncoder().encode(text)], 0)
  } finally {
    await file.close()
  }
}

async function readHolder(device: Device, path: string): Promise<Holder | 'missing' | undefined> {
  try {
    const file = await device.open(path, 'read')
    const bytes = new Uint8Array(512)
    const length = await file.read(bytes, 0).finally(() => file.close())
    const [magic, bootId, pid, startedAt, ownNonce, end] = new TextDecoder()
      .decode(bytes.subarray(0, length))
      .split('\n')
    if (magic !== 'varve lock 1' || end !== '' || bootId === undefined || startedAt === undefined) return undefined
    if (ownNonce === undefined || !/^[0-9a-f]{16}$/.test(ownNonce) || !/^[0-9]+$/.test(pid ?? '')) return undefined
    return { bootId, pid: Number(pid), startedAt, nonce: ownNonce }
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return 'missing'
    throw error
  }
}

async function unlinkIfThere(device: Device, path: string): Promise<void> {
  await device.unlink(path).catch((error: unknown) => {
    if (!isCode(error, 'NOT_FOUND')) throw error
  })
}
