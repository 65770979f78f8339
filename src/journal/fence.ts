/**
 * The fence: a file that names the owner, replaced by the next one.
 *
 *      0          4       8         12        16      24     32
 *      +----------+-------+---------+---------+-------+------+
 *      | checksum | magic | version | attempt | epoch | zero |
 *      | u32      | u32   | u32     | u32     | u64   |      |
 *      +----------+-------+---------+---------+-------+------+
 *
 *      32         36      40      44     48           56      64    added by a clean close
 *      +----------+-------+-------+------+------------+-------+
 *      | checksum | magic | index | zero | end offset | end   |
 *      | u32      | u32   | u32   |      | u64        | u64   |
 *      +----------+-------+-------+------+------------+-------+
 *
 * A new owner writes a file of its own, syncs it and renames it over `fence`. The old owner holds its own open, which
 * keeps the identity (the inode number) from being given to another file, and compares after every write and every sync:
 * one stat call, 0.9 µs. `attempt` counts openings within an epoch, so that an owner who opens again under the same epoch
 * fences its former self and uses new names.
 *
 * Closing adds to the owner's own file where its log ends, once everything is on stable storage: the next owner then has
 * nothing to search. It is not synced: where it is lost or damaged, recovery scans.
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
const CLOSING_BYTES = 32
const MAGIC = 0x43_4e_46_d6
const CLOSING_MAGIC = 0x45_4e_46_d6

/** Where an owner's log ended, all of it on stable storage. */
export interface Closing {
  /** Of its last segment. */
  readonly index: number
  /** Where the log ends in that segment. */
  readonly endOffset: number
  /** Position just past the last batch. */
  readonly end: number
}

interface FenceContent {
  readonly epoch: number
  readonly attempt: number
  readonly closing: Closing | undefined
}

export class Fence {
  readonly epoch: Epoch
  readonly attempt: number
  /** What the fence said that this one replaced. */
  readonly former: FenceContent | undefined
  readonly #device: Device
  readonly #path: string
  readonly #file: DeviceFile
  readonly #identity: number
  readonly #shardIdentity: number

  private constructor(
    place: { readonly device: Device; readonly path: string; readonly file: DeviceFile; readonly identity: number },
    owner: FenceContent,
    former: FenceContent | undefined,
    shardIdentity: number,
  ) {
    this.#device = place.device
    this.#path = place.path
    this.#file = place.file
    this.#identity = place.identity
    this.epoch = owner.epoch as Epoch
    this.attempt = owner.attempt
    this.former = former
    this.#shardIdentity = shardIdentity
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
      const owner = { epoch, attempt, closing: undefined }
      await file.write([encodeFence(owner, shardIdentity)], 0)
      await file.sync()
      const identity = (await device.stat(temporary))?.identity
      await device.rename(temporary, path)
      await device.syncDirectory(directory)
      if (identity === undefined || (await device.stat(path))?.identity !== identity) throw fenced(undefined)
      return new Fence({ device, path, file, identity }, owner, former, shardIdentity)
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

  /** Leaves to the next owner where the log ends. Everything below must be on stable storage. */
  async close(closing: Closing): Promise<void> {
    await this.#file.write([encodeClosing(closing, closingSeed(this, this.#shardIdentity))], FENCE_BYTES)
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
    const bytes = new Uint8Array(FENCE_BYTES + CLOSING_BYTES + 1)
    const length = await file.read(bytes, 0)
    return decodeFence(bytes.subarray(0, length), identity, path)
  } finally {
    await file.close()
  }
}

function encodeFence(content: Pick<FenceContent, 'epoch' | 'attempt'>, identity: number): Uint8Array {
  const bytes = new Uint8Array(FENCE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, MAGIC, true)
  view.setUint32(8, FENCE_VERSION, true)
  view.setUint32(12, content.attempt, true)
  setU64(view, 16, content.epoch)
  view.setUint32(0, hashKey(bytes, 4, FENCE_BYTES, identity), true)
  return bytes
}

function decodeFence(file: Uint8Array, identity: number, path: string): FenceContent {
  if (file.length < FENCE_BYTES || file.length > FENCE_BYTES + CLOSING_BYTES) {
    throw journalCorrupt(path, file.length, `a fence has ${FENCE_BYTES} bytes, or ${FENCE_BYTES + CLOSING_BYTES}`)
  }
  const bytes = file.subarray(0, FENCE_BYTES)
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
  const owner = { epoch: getU64(view, 16), attempt: view.getUint32(12, true) }
  return { ...owner, closing: decodeClosing(file.subarray(FENCE_BYTES), closingSeed(owner, identity)) }
}

/** Belongs to one opening: a closing of another never verifies. */
function closingSeed(owner: Pick<FenceContent, 'epoch' | 'attempt'>, identity: number): number {
  const bytes = encodeFence(owner, identity)
  return hashKey(bytes, 0, FENCE_BYTES, identity)
}

function encodeClosing(closing: Closing, seed: number): Uint8Array {
  const bytes = new Uint8Array(CLOSING_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, CLOSING_MAGIC, true)
  view.setUint32(8, closing.index, true)
  setU64(view, 16, closing.endOffset)
  setU64(view, 24, closing.end)
  view.setUint32(0, hashKey(bytes, 4, CLOSING_BYTES, seed), true)
  return bytes
}

/** Undefined where there is none, or it did not make it to the disk: it only saves a scan. */
function decodeClosing(bytes: Uint8Array, seed: number): Closing | undefined {
  if (bytes.length !== CLOSING_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(4, true) !== CLOSING_MAGIC) return undefined
  if (view.getUint32(0, true) !== hashKey(bytes, 4, CLOSING_BYTES, seed)) return undefined
  return { index: view.getUint32(8, true), endOffset: getU64(view, 16), end: getU64(view, 24) }
}
