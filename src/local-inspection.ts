/** The parts of a shard's directory, to be looked at one by one, whatever state the others are in. Changes nothing. */

import { joinPath } from './fs/device-path.ts'
import { EncryptedFileStore } from './fs/encrypted-file-store.ts'
import { openHead } from './fs/encrypted-head-store.ts'
import { LOCK_NAME } from './fs/directory-lock.ts'
import type { FileReader, FileStore } from './fs/fs.ts'
import { HEAD_FILE_BYTES_MAX, decodeHeadFile, headFileShard, headFileVersion } from './fs/head-file.ts'
import { KeyRing } from './fs/key-ring.ts'
import { LocalFileStore } from './fs/local-file-store.ts'
import { readLockFile } from './fs/lock-file.ts'
import { NodeDevice } from './fs/node-device.ts'
import { NodeProcessTable } from './fs/node-process-table.ts'
import type { Device } from './kernel/device.ts'
import { VarveError, isCode } from './kernel/errors.ts'
import { loadHash } from './kernel/hash.ts'
import type { Hash } from './kernel/hash.ts'
import type { ShardId } from './kernel/ids.ts'
import type { FileRef } from './kernel/file-ref.ts'
import { EMPTY_MANIFEST, applyEdit, decodeEdit } from './shard/edit.ts'
import type { ManifestState } from './shard/edit.ts'
import { decodeHead, failHead } from './shard/head-content.ts'
import type { HeadContent } from './shard/head-content.ts'
import { manifestFiles, readManifestFile } from './shard/manifest.ts'
import type { LocalEncryption } from './local-wrappers.ts'
import { SystemRandom } from './system-random.ts'
import { FILES, HEADS, JOURNAL, MAIN_SHARD, SHARD_FOLDERS } from './local-layout.ts'

// Directories have been seen that have thousands.
const SHARDS_SHOWN = 10

export interface HeadFile {
  readonly version: number
  readonly name: string
  readonly bytes: number
}

export class InspectedDirectory {
  readonly device: Device
  readonly hash: Hash
  readonly files: FileStore
  readonly shard: ShardId
  readonly journalPath: string
  readonly #keys: KeyRing | undefined

  private constructor(shard: ShardId, device: Device, hash: Hash, files: FileStore, keys: KeyRing | undefined) {
    this.shard = shard
    this.journalPath = joinPath(JOURNAL, shard)
    this.device = device
    this.hash = hash
    this.#keys = keys
    this.files = keys === undefined ? files : new EncryptedFileStore(files, { keys, hash, random: new SystemRandom() })
  }

  /**
   * @param encryption with what tables, manifests and heads are encrypted. Default: they are not
   * @throws {VarveError} NOT_FOUND — there is no directory, or nothing of a shard in it
   * @throws {TypeError} {RangeError} keys that cannot be used
   */
  static async open(
    directory: string,
    encryption?: LocalEncryption,
    shard: ShardId = MAIN_SHARD,
  ): Promise<InspectedDirectory> {
    const keys = encryption === undefined ? undefined : new KeyRing(encryption.keys)
    const device = new NodeDevice(directory, { readOnly: true })
    const names = await namesIn(device, '.')
    if (!SHARD_FOLDERS.some((name) => names.includes(name))) {
      throw new VarveError('NOT_FOUND', `there is no shard in ${directory}`, { details: { path: directory } })
    }
    const hash = await loadHash()
    const files = await LocalFileStore.open({ device, directory: FILES, hash, readOnly: true })
    return new InspectedDirectory(shard, device, hash, files, keys)
  }

  /** Shards that have a head here, sorted: this one, those it was cloned to, and those in whose place it is or that took its. */
  async shards(): Promise<readonly ShardId[]> {
    const shards = (await namesIn(this.device, HEADS)).map(headFileShard).filter((shard) => shard !== undefined)
    return [...new Set(shards)].sort()
  }

  /** Those but this one. */
  async otherShards(): Promise<readonly ShardId[]> {
    return (await this.shards()).filter((shard) => shard !== this.shard)
  }

  /**
   * A head, a table or a segment says that the shard was here; or none says of any shard that it was.
   *
   * @param source the directory, as it is shown
   * @throws {VarveError} NOT_FOUND — only others are here; `details.shards` has them
   */
  async requireShard(source: string): Promise<void> {
    const { device, shard, journalPath } = this
    const shards = await this.shards()
    if (shards.length === 0 || shards.includes(shard)) return
    const files = await namesIn(device, FILES)
    if (files.some((name) => name.startsWith(`${shard}.`)) || (await namesIn(device, journalPath)).length > 0) return
    const more = shards.length > SHARDS_SHOWN ? ` and ${shards.length - SHARDS_SHOWN} more` : ''
    const shown = shards.slice(0, SHARDS_SHOWN).join(', ')
    throw new VarveError(
      'NOT_FOUND',
      `there is no shard ${shard} in ${source}: name one of those it has, ${shown}${more}`,
      {
        details: { path: source, shard, shards },
      },
    )
  }

  /** Versions of the head that are there, newest first. */
  async heads(shard: ShardId = this.shard): Promise<readonly HeadFile[]> {
    const heads: HeadFile[] = []
    for (const name of await namesIn(this.device, HEADS)) {
      const version = headFileVersion(shard, name)
      const bytes = version === undefined ? undefined : (await this.device.stat(joinPath(HEADS, name)))?.bytes
      if (version !== undefined && bytes !== undefined) heads.push({ version, name, bytes })
    }
    return heads.sort((a, b) => b.version - a.version)
  }

  /** @throws {VarveError} HEAD_CORRUPT, WRONG_KEY, INCOMPATIBLE, NOT_FOUND, IO_FAILED */
  async head({ version, name, bytes }: HeadFile, shard: ShardId = this.shard): Promise<HeadContent> {
    const path = joinPath(HEADS, name)
    const file = await this.device.open(path, 'read')
    try {
      const content = new Uint8Array(Math.min(bytes, HEAD_FILE_BYTES_MAX + 1))
      const length = await file.read(content, 0)
      const stored = decodeHeadFile(shard, version, content.subarray(0, length), path, this.hash)
      return decodeHead(this.#keys === undefined ? stored : openHead(shard, stored, this.#keys, this.hash), path)
    } finally {
      await file.close()
    }
  }

  /** The newest head that can be read; undefined where there is none. `damage` gets what is wrong with newer ones. */
  async newestHead(damage: (error: VarveError) => void, shard: ShardId = this.shard): Promise<HeadContent | undefined> {
    for (const file of await this.heads(shard)) {
      try {
        return await this.head(file, shard)
      } catch (error) {
        // Collected since it was listed: a newer one has come, which is as good as this.
        if (isCode(error, 'NOT_FOUND')) continue
        if (!(error instanceof VarveError)) throw error
        damage(error)
      }
    }
    return undefined
  }

  /** What the manifest says, as far as it can be read. */
  async manifest(head: HeadContent, damage: (error: VarveError) => void): Promise<ManifestState> {
    let state = EMPTY_MANIFEST
    const add = async (read: () => Promise<ManifestState>): Promise<void> => {
      try {
        state = await read()
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        damage(error)
      }
    }
    for (const ref of manifestFiles(head)) {
      await add(async () => (await readManifestFile(ref, this.files, this.hash)).reduce(applyEdit, state))
    }
    for (const [index, bytes] of head.edits.entries()) {
      const fail = (reason: string, at: number): never => failHead(`edit ${index + 1} of the head`, reason, at)
      await add(() => Promise.resolve(applyEdit(state, decodeEdit(bytes, fail))))
    }
    return state
  }

  /** @throws {VarveError} FILE_MISSING, IO_FAILED */
  openFile(ref: FileRef): Promise<FileReader> {
    return this.files.open(ref)
  }

  async close(): Promise<void> {
    await this.files.close()
  }
}

/** Names in a directory; none where it is missing. */
export async function namesIn(device: Device, directory: string): Promise<readonly string[]> {
  try {
    return (await device.list(directory)).map(({ name }) => name)
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return []
    throw error
  }
}

/** @throws {VarveError} LOCKED — a live process has it open */
export async function refuseLive(directory: InspectedDirectory, source: string): Promise<void> {
  const holder = await readLockFile(directory.device, LOCK_NAME).catch(unlessNoFile)
  if (holder === undefined || typeof holder === 'string' || !new NodeProcessTable().isAlive(holder)) return
  throw new VarveError('LOCKED', `${source} is open in process ${holder.pid}: close it there first`, {
    details: { path: source, holder: { pid: holder.pid } },
  })
}

/** A directory in the place of the lock is held by nobody, and its error sends to repair. */
function unlessNoFile(error: unknown): undefined {
  if (!isCode(error, 'PERMISSION_DENIED') || error.details['found'] === undefined) throw error
}
