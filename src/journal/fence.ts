/**
 * The fence: a file that names the owner, replaced by the next one.
 *
 *      0          4       8         12        16      24     32
 *      +----------+-------+---------+---------+-------+------+
 *      | checksum | magic | version | attempt | epoch | zero |
 *      | u32      | u32   | u32     | u32     | u64   |      |
 *      +----------+-------+---------+---------+-------+------+
 *
 * A new owner writes a file of its own, syncs it and renames it over `fence`. The old owner holds its own open, which
 * keeps the identity (the inode number) from being given to another file, and compares after every write and every sync:
 * one stat call, 0.9 µs. `attempt` counts openings within an epoch, so that an owner who opens again under the same epoch
 * fences its former self and uses new names.
 *
 * Two owners that raise the fence at the same moment may leave the lower epoch's in place. That owner's commit of the
 * journal state then fails in the head, so it appends nothing; the higher one sees its fence gone and opens anew.
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { hashKey } from '../kernel/hash.ts'
import type { Epoch } from '../kernel/ids.ts'
import { getU64, setU64 } from './frame.ts'
import { journalCorrupt } from './journal-corrupt.ts'

const FENCE_NAME = 'fence'
const FENCE_BYTES = 32
const FENCE_VERSION = 1
const MAGIC = 0x43_4e_46_d6

interface FenceContent {
  readonly epoch: number
  readonly attempt: number
}

export class Fence {
  readonly epoch: Epoch
  readonly attempt: number
  readonly #device: Device
  readonly #path: string
  readonly #file: DeviceFile
  readonly #identity: number

  private constructor(device: Device, path: string, file: DeviceFile, owner: FenceContent, identity: number) {
    this.#device = device
    this.#path = path
    this.#file = file
    this.epoch = owner.epoch as Epoch
    this.attempt = owner.attempt
    this.#identity = identity
  }

  /**
   * Takes the directory for `epoch`, durably: no append of an earlier owner is acknowledged after this.
   *
   * @param attemptMin least attempt to use
   * @throws {VarveError} FENCED — a higher epoch has been here
   * @throws {VarveError} JOURNAL_CORRUPT — the fence is damaged
   */
  static async raise(
    device: Device,
    directory: string,
    epoch: Epoch,
    attemptMin: number,
    shardIdentity: number,
  ): Promise<Fence> {
    const path = `${directory}/${FENCE_NAME}`
    const former = await readFence(device, path, shardIdentity)
    if (former !== undefined && former.epoch > epoch) throw fenced(former.epoch)
    const attempt = Math.max(attemptMin, former?.epoch === epoch ? former.attempt + 1 : 1)
    const temporary = `${path}.${epoch}-${attempt}.tmp`
    const file = await createAnew(device, temporary)
    try {
      await file.write([encodeFence({ epoch, attempt }, shardIdentity)], 0)
      await file.sync()
      const identity = (await device.stat(temporary))?.identity
      await device.rename(temporary, path)
      await device.syncDirectory(directory)
      if (identity === undefined || (await device.stat(path))?.identity !== identity) throw fenced(undefined)
      return new Fence(device, path, file, { epoch, attempt }, identity)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Where the device can stat synchronously. */
  holdsSync(): boolean {
    return this.#device.statSync(this.#path)?.identity === this.#identity
  }

  async holds(): Promise<boolean> {
    return (await this.#device.stat(this.#path))?.identity === this.#identity
  }

  /** Stops watching. The fence itself stays: it is what stops a late writer of a lower epoch. Idempotent. */
  release(): Promise<void> {
    return this.#file.close()
  }
}

/** True for a fence that its owner did not live to rename. */
export function isFenceLeftover(name: string): boolean {
  return name.startsWith(`${FENCE_NAME}.`) && name.endsWith('.tmp')
}

export function fenced(epoch: number | undefined): VarveError {
  return new VarveError('FENCED', 'another owner has taken the journal', { details: { epoch } })
}

async function createAnew(device: Device, path: string): Promise<DeviceFile> {
  try {
    return await device.open(path, 'create')
  } catch (error) {
    // Left by a crash: an attempt that came further would have been counted.
    if (!isCode(error, 'EXISTS')) throw error
    await device.unlink(path)
    return device.open(path, 'create')
  }
}

async function readFence(device: Device, path: string, identity: number): Promise<FenceContent | undefined> {
  let file: DeviceFile
  try {
    file = await device.open(path, 'read')
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return undefined
    throw error
  }
  try {
    // One byte more than there should be: a longer file is damaged too.
    const bytes = new Uint8Array(FENCE_BYTES + 1)
    const length = await file.read(bytes, 0)
    return decodeFence(bytes.subarray(0, length), identity, path)
  } finally {
    await file.close()
  }
}

function encodeFence(content: FenceContent, identity: number): Uint8Array {
  const bytes = new Uint8Array(FENCE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, MAGIC, true)
  view.setUint32(8, FENCE_VERSION, true)
  view.setUint32(12, content.attempt, true)
  setU64(view, 16, content.epoch)
  view.setUint32(0, hashKey(bytes, 4, FENCE_BYTES, identity), true)
  return bytes
}

function decodeFence(bytes: Uint8Array, identity: number, path: string): FenceContent {
  if (bytes.length !== FENCE_BYTES) throw journalCorrupt(path, bytes.length, `a fence has ${FENCE_BYTES} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(4, true) !== MAGIC || view.getUint32(0, true) !== hashKey(bytes, 4, FENCE_BYTES, identity)) {
    throw journalCorrupt(path, 0, 'wrong checksum')
  }
  const version = view.getUint32(8, true)
  if (version !== FENCE_VERSION) {
    throw new VarveError('INCOMPATIBLE', `${path} has fence format ${version}, this varve reads ${FENCE_VERSION}`, {
      details: { what: path, found: version, expected: FENCE_VERSION },
    })
  }
  return { epoch: getU64(view, 16), attempt: view.getUint32(12, true) }
}
