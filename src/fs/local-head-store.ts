/**
 * Heads in a directory of a device: a numbered file for every version, the highest one counts.
 *
 *      <shard>.head-<version, 16 digits>
 *
 *      0       4         8        12       16          24 + length
 *      +-------+---------+--------+--------+-----------+---------+
 *      | magic | format  | length | zero   | checksum  | content |
 *      | u32   | u32     | u32    | u32    | u64       |         |
 *      +-------+---------+--------+--------+-----------+---------+
 *
 * `checksum` is XXH64 of the content, seeded with shard and version and covering the header before it: a head under
 * another name is a damaged head.
 *
 * Creating version n + 1 by `link` is the compare-and-set: of two writers one finds the name taken. The file is synced
 * before it is linked, the directory afterwards, so the highest number is always a whole head and a damaged one is never
 * "not finished yet": there is no falling back to the one before.
 *
 * Old versions are collected, so a writer that slept for long could create a number that had been used and collected.
 * It cannot win: the highest number is never collected, and a writer looks again after its link. If it finds a higher
 * one it removes its own file and has lost. (It may also have won and been overtaken within that moment; then its file is
 * part of history, and the conflict it reports makes the caller read, and find its own commit or its successor.)
 *
 * Spec: docs/formats/head-store.md. Numbered create-only manifests are SlateDB's; the second look is what its RFC-0026
 * adds.
 */

import type { Device } from '../kernel/device.ts'
import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import { nonce } from '../kernel/random.ts'
import type { Random } from '../kernel/random.ts'
import { joinPath } from './device-path.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from './fs.ts'

const MAGIC = 0x4452_4856 // 'VHRD', read as a little-endian u32
const FORMAT_VERSION = 1
const HEADER_BYTES = 24
// The newest and the one before it: enough to see what the last commit changed.
const KEPT_VERSIONS = 2

export interface LocalHeadStoreOptions {
  readonly device: Device
  /** Where the heads are; made where it is missing, unless `readOnly`. */
  readonly directory: string
  readonly hash: Hash
  readonly random: Random
  readonly readOnly?: boolean
}

export class LocalHeadStore implements HeadStore {
  readonly name = 'local'
  readonly #device: Device
  readonly #directory: string
  readonly #hash: Hash
  readonly #random: Random

  private constructor(options: LocalHeadStoreOptions) {
    this.#device = options.device
    this.#directory = options.directory
    this.#hash = options.hash
    this.#random = options.random
  }

  static async open(options: LocalHeadStoreOptions): Promise<LocalHeadStore> {
    if (options.readOnly !== true) await options.device.makeDirectory(options.directory)
    return new LocalHeadStore(options)
  }

  /** Removes what a crash left unfinished. Only the owner of the directory may, before anyone writes. */
  async removeLeftovers(): Promise<void> {
    for (const { name } of await this.#device.list(this.#directory)) {
      if (name.startsWith('unfinished-')) await this.#unlink(name)
    }
  }

  async read(shard: ShardId, options: AbortOptions = {}): Promise<Head | undefined> {
    // Between list and open a reader may be overtaken: the version it saw is collected when two newer ones exist.
    for (;;) {
      throwIfAborted(options.signal)
      const versions = await this.#versions(shard)
      const newest = versions.at(-1)
      if (newest === undefined) return undefined
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
    if (content.length > LIMITS.headBytesMax) {
      throw new VarveError('LIMIT_EXCEEDED', `a head of ${content.length} bytes is over the limit`, {
        details: { what: 'head', size: content.length, limit: LIMITS.headBytesMax },
      })
    }
    throwIfAborted(options.signal)
    const version = expected === undefined ? 1 : Number(expected) + 1
    const before = await this.#versions(shard)
    if ((before.at(-1) ?? 0) !== version - 1) throw conflict(shard, expected, before.at(-1))
    const aside = joinPath(this.#directory, `unfinished-${nonce(this.#random)}`)
    await this.#writeAside(aside, encode(shard, version, content, this.#hash))
    const path = this.#path(shard, version)
    try {
      await this.#device.link(aside, path)
    } catch (error) {
      if (isCode(error, 'EXISTS')) throw conflict(shard, expected, version)
      throw error
    } finally {
      await this.#device.unlink(aside)
    }
    try {
      await this.#device.syncDirectory(this.#directory)
      const after = await this.#versions(shard)
      const newest = after.at(-1)
      if (newest === undefined || newest > version) throw conflict(shard, expected, newest)
      for (const old of after.slice(0, -KEPT_VERSIONS)) await this.#unlink(fileOf(shard, old))
    } catch (cause) {
      if (isCode(cause, 'HEAD_CONFLICT')) throw cause
      throw new VarveError('OUTCOME_UNKNOWN', `the head of ${shard} may or may not have changed: read it`, {
        cause,
        details: { operation: 'compareAndSet' },
      })
    }
    return toVersion(version)
  }

  async #writeAside(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#device.open(path, 'create')
    try {
      await file.write([bytes], 0)
      await file.sync()
    } catch (error) {
      await this.#device.unlink(path).catch(() => undefined)
      throw error
    } finally {
      await file.close()
    }
  }

  async #load(shard: ShardId, version: number): Promise<Uint8Array> {
    const path = this.#path(shard, version)
    const file = await this.#device.open(path, 'read')
    try {
      const bytes = new Uint8Array(Math.min(await file.size(), HEADER_BYTES + LIMITS.headBytesMax + 1))
      await file.read(bytes, 0)
      return decode(shard, version, bytes, path, this.#hash)
    } finally {
      await file.close()
    }
  }

  /** Ascending. */
  async #versions(shard: ShardId): Promise<number[]> {
    const prefix = `${shard}.head-`
    const entries = await this.#device.list(this.#directory).catch((error: unknown) => {
      if (isCode(error, 'NOT_FOUND')) return []
      throw error
    })
    return entries
      .filter(({ name }) => name.startsWith(prefix) && /^[0-9]{16}$/.test(name.slice(prefix.length)))
      .map(({ name }) => Number(name.slice(prefix.length)))
      .sort((a, b) => a - b)
  }

  async #unlink(name: string): Promise<void> {
    await this.#device.unlink(joinPath(this.#directory, name)).catch((error: unknown) => {
      if (!isCode(error, 'NOT_FOUND')) throw error
    })
  }

  #path(shard: ShardId, version: number): string {
    return joinPath(this.#directory, fileOf(shard, version))
  }
}

function fileOf(shard: ShardId, version: number): string {
  return `${shard}.head-${String(version).padStart(16, '0')}`
}

function toVersion(version: number): HeadVersion {
  return String(version) as HeadVersion
}

function conflict(shard: ShardId, expected: HeadVersion | undefined, found: number | undefined): VarveError {
  return new VarveError(
    'HEAD_CONFLICT',
    `the head of ${shard} has version ${found ?? 'none'}, expected ${expected ?? 'none'}`,
    {
      details: { expected, found },
    },
  )
}

function encode(shard: ShardId, version: number, content: Uint8Array, hash: Hash): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + content.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setUint32(8, content.length, true)
  bytes.set(content, HEADER_BYTES)
  view.setBigUint64(16, checksumOf(shard, version, bytes, hash), true)
  return bytes
}

function decode(shard: ShardId, version: number, bytes: Uint8Array, file: string, hash: Hash): Uint8Array {
  const fail = (offset: number, reason: string): never => {
    throw new VarveError('HEAD_CORRUPT', `${file} is damaged at byte ${offset}: ${reason}`, {
      details: { file, offset, reason },
    })
  }
  if (bytes.length < HEADER_BYTES) fail(bytes.length, 'it ends early')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== MAGIC) fail(0, 'it is no head')
  const format = view.getUint32(4, true)
  if (view.getBigUint64(16, true) !== checksumOf(shard, version, bytes, hash)) fail(16, 'its checksum does not match')
  if (format !== FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${file} has format ${format}, this version of varve reads ${FORMAT_VERSION}; nothing was changed`,
      {
        details: { what: 'head file format', found: format, expected: FORMAT_VERSION, file },
      },
    )
  }
  if (view.getUint32(8, true) !== bytes.length - HEADER_BYTES) fail(8, 'its length does not match')
  return bytes.slice(HEADER_BYTES)
}

/** Covers the header up to the checksum, and the content; seeded with where the head belongs. */
function checksumOf(shard: ShardId, version: number, bytes: Uint8Array, hash: Hash): bigint {
  const stream = hash.stream64(hash.hash64(new TextEncoder().encode(fileOf(shard, version)), 0n))
  stream.update(bytes.subarray(0, 16))
  stream.update(bytes.subarray(HEADER_BYTES))
  return stream.digest()
}
