/**
 * Heads in a directory of a device: a numbered file for every version, the highest one counts.
 *
 * Creating version n + 1 by `link` is the compare-and-set: of two writers one finds the name taken. The file is synced
 * before it is linked, the directory afterwards, so the highest number is always a whole head and a damaged one is never
 * "not finished yet": there is no falling back to the one before.
 *
 * Old versions are collected, all but the newest two, so a writer that slept for long could create a number that had been
 * used and collected. It cannot win: the highest number is never collected, and a writer looks again after its link. If
 * it finds a higher one it has lost, and what it created is below the newest two and collected like the rest. (It may
 * also have won and been overtaken within that moment; then its file is part of history, and the conflict it reports
 * makes the caller read, and find its own commit or its successor.)
 *
 * Looking is listing the directory, and a long listing is not one moment: names made or removed meanwhile may be missing
 * from it. So the directory holds nothing else (one system call lists it), and a listing without two successive versions
 * at its end is repeated until two agree.
 *
 * Spec: docs/formats/head-store.md. Numbered create-only manifests are SlateDB's; the second look is what its RFC-0026
 * adds.
 */

import { copyOf } from '../kernel/bytes.ts'
import type { Device } from '../kernel/device.ts'
import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'
import { nonce } from '../kernel/random.ts'
import type { Random } from '../kernel/random.ts'
import { joinPath } from './device-path.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from './fs.ts'
import { headConflict } from './head-conflict.ts'
import { checkHeadSize } from './head-size.ts'
import { HEAD_FILE_BYTES_MAX, decodeHeadFile, encodeHeadFile, headFileName, headFileVersion } from './head-file.ts'

// The newest and the one before it: what the last commit changed, and the sign of a listing that missed nothing.
const KEPT_VERSIONS = 2
const UNFINISHED_PREFIX = 'unfinished-'

/** Where the heads are, and what they are read with. */
export interface LocalHeadStoreOptions {
  /** The disk, or what stands for one. */
  readonly device: Device
  /** Where the heads are, and nothing else; made where it is missing, unless `readOnly`. */
  readonly directory: string
  /** Checksums of heads. */
  readonly hash: Hash
  /** Makes the names of files that are being written. */
  readonly random: Random
  /** Change nothing, not even what is missing. Default false. */
  readonly readOnly?: boolean
}

/** Heads in a directory. A change has resolved once the file and the directory are synced. */
export class LocalHeadStore implements HeadStore {
  readonly name = 'local'
  readonly #device: Device
  readonly #directory: string
  readonly #hash: Hash
  readonly #random: Random
  readonly #readOnly: boolean

  private constructor(options: LocalHeadStoreOptions) {
    this.#device = options.device
    this.#directory = options.directory
    this.#hash = options.hash
    this.#random = options.random
    this.#readOnly = options.readOnly === true
  }

  /** Makes the directory where it is missing, unless `readOnly`. Throws what the device throws. */
  static async open(options: LocalHeadStoreOptions): Promise<LocalHeadStore> {
    if (options.readOnly !== true) await options.device.makeDirectory(options.directory)
    return new LocalHeadStore(options)
  }

  /** Removes what a crash left unfinished. Only the owner of the directory may, before anyone writes. */
  async removeLeftovers(): Promise<void> {
    for (const { name } of await this.#device.list(this.#directory)) {
      if (name.startsWith(UNFINISHED_PREFIX)) await this.#unlink(name)
    }
  }

  async read(shard: ShardId, options: AbortOptions = {}): Promise<Head | undefined> {
    // Between list and open a reader may be overtaken: the version it saw is collected when two newer ones exist.
    for (;;) {
      throwIfAborted(options.signal)
      const newest = (await this.#versions(shard)).at(-1)
      if (newest === undefined) return undefined
      // Its writer may have been killed before the sync. Who reads a head acts on it: it must not vanish any more.
      if (!this.#readOnly) await this.#device.syncDirectory(this.#directory)
      try {
        return { version: toVersion(newest), content: await this.#load(shard, newest) }
      } catch (error) {
        if (!isCode(error, 'NOT_FOUND')) throw error
      }
    }
  }

  async compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    options: AbortOptions = {},
  ): Promise<HeadVersion> {
    checkHeadSize(content)
    throwIfAborted(options.signal)
    const version = expected === undefined ? 1 : Number(expected) + 1
    const found = (await this.#versions(shard)).at(-1)
    if ((found ?? 0) !== version - 1) throw conflict(shard, expected, found)
    const bytes = encodeHeadFile(shard, version, content, this.#hash)
    const aside = `${UNFINISHED_PREFIX}${nonce(this.#random)}`
    try {
      await this.#writeAside(aside, bytes)
      await this.#create(shard, version, aside, expected)
    } finally {
      // Whatever has become of it: a leftover harms nobody.
      await this.#unlink(aside).catch(() => undefined)
    }
    await this.#settle(shard, version, expected)
    return toVersion(version)
  }

  async #writeAside(name: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#device.open(joinPath(this.#directory, name), 'create')
    try {
      await file.write([bytes], 0)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** The compare-and-set itself. */
  async #create(shard: ShardId, version: number, aside: string, expected: HeadVersion | undefined): Promise<void> {
    try {
      await this.#device.link(joinPath(this.#directory, aside), this.#path(shard, version))
    } catch (error) {
      if (isCode(error, 'EXISTS')) throw conflict(shard, expected, version)
      throw isCode(error, 'IO_FAILED') ? outcomeUnknown(shard, error) : error
    }
  }

  /** Makes the new version durable, looks whether it is the newest, and collects those that are no longer needed. */
  async #settle(shard: ShardId, version: number, expected: HeadVersion | undefined): Promise<void> {
    let newest: number | undefined
    try {
      await this.#device.syncDirectory(this.#directory)
      const versions = await this.#versions(shard)
      newest = versions.at(-1)
      // What cannot be collected now is collected by the next commit.
      for (const old of versions.slice(0, -KEPT_VERSIONS))
        await this.#unlink(headFileName(shard, old)).catch(() => undefined)
    } catch (cause) {
      throw outcomeUnknown(shard, cause)
    }
    if (newest !== version) throw conflict(shard, expected, newest)
  }

  async #load(shard: ShardId, version: number): Promise<Uint8Array> {
    const path = this.#path(shard, version)
    const file = await this.#device.open(path, 'read')
    try {
      const bytes = new Uint8Array(Math.min(await file.size(), HEAD_FILE_BYTES_MAX + 1))
      const length = await file.read(bytes, 0)
      return copyOf(decodeHeadFile(shard, version, bytes.subarray(0, length), path, this.#hash))
    } finally {
      await file.close()
    }
  }

  /** Ascending. */
  async #versions(shard: ShardId): Promise<readonly number[]> {
    for (let before: number | undefined = NaN; ;) {
      const versions = await this.#list(shard)
      const newest = versions.at(-1)
      if (newest === before || (newest !== undefined && versions.at(-2) === newest - 1)) return versions
      before = newest
    }
  }

  async #list(shard: ShardId): Promise<readonly number[]> {
    const entries = await this.#device.list(this.#directory).catch((error: unknown) => {
      if (isCode(error, 'NOT_FOUND')) return []
      throw error
    })
    return entries
      .map(({ name }) => headFileVersion(shard, name))
      .filter((version) => version !== undefined)
      .sort((a, b) => a - b)
  }

  async #unlink(name: string): Promise<void> {
    await this.#device.unlink(joinPath(this.#directory, name)).catch((error: unknown) => {
      if (!isCode(error, 'NOT_FOUND')) throw error
    })
  }

  #path(shard: ShardId, version: number): string {
    return joinPath(this.#directory, headFileName(shard, version))
  }
}

function toVersion(version: number): HeadVersion {
  return String(version) as HeadVersion
}

function conflict(shard: ShardId, expected: HeadVersion | undefined, found: number | undefined): VarveError {
  return headConflict(shard, expected, found === undefined ? undefined : toVersion(found))
}

function outcomeUnknown(shard: ShardId, cause: unknown): VarveError {
  return new VarveError('OUTCOME_UNKNOWN', `the head of ${shard} may or may not have changed: read it`, {
    cause,
    details: { operation: 'compareAndSet' },
  })
}
