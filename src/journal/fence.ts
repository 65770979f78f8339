/**
 * The fence: a file for each opening, `fence.<epoch>-<attempt>`, whose owner may append as long as it is not empty.
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
 * A new owner stores a file of its own, then lists the directory: of a later opening's file it is fenced itself, those of
 * earlier ones it empties. The old owner holds its file open and reads one byte of it after every write and every sync;
 * the read is the cheapest question a system answers about a file (1.4 µs where a stat by path takes 6.5). Whoever
 * appends had stored its file before its commit, hence before the next owner's epoch, hence before that owner listed: it
 * is found whatever else was opened, fenced or killed in between. Names are never reused. `attempt` counts openings
 * within an epoch, from a random number on, so that an owner who opens again under the same epoch fences its former self,
 * and none takes the fence of another database for its own.
 *
 * Closing adds to the owner's own file where its log ends, once everything is on stable storage: the next owner then has
 * nothing to search. Whatever is lost or damaged in a fence costs a scan: who owns the log is in the name.
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { hashKey } from '../kernel/hash.ts'
import type { Epoch } from '../kernel/ids.ts'
import { POSITION_MAX, getU64, setU64 } from './frame.ts'
import { journalCorrupt } from './journal-corrupt.ts'

const FENCE_NAME = /^fence\.([0-9]+)-([0-9]+)$/
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

/** Which opening a fence belongs to. */
export interface FenceOwner {
  readonly epoch: number
  readonly attempt: number
}

interface FormerOwner extends FenceOwner {
  readonly closing: Closing | undefined
}

export class Fence {
  readonly epoch: Epoch
  readonly attempt: number
  /** The opening before this one. */
  readonly former: FormerOwner | undefined
  readonly #file: DeviceFile
  readonly #shardIdentity: number
  readonly #byte = new Uint8Array(1)

  private constructor(file: DeviceFile, owner: FenceOwner, former: FormerOwner | undefined, shardIdentity: number) {
    this.#file = file
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
   * @throws {VarveError} INCOMPATIBLE — the last owner wrote another format
   * @throws {VarveError} JOURNAL_CORRUPT — the file of the last owner is another's
   */
  static async raise(
    device: Device,
    directory: string,
    epoch: Epoch,
    attemptMin: number,
    shardIdentity: number,
  ): Promise<Fence> {
    const last = (await listFences(device, directory)).at(-1)
    if (last !== undefined && last.epoch > epoch) throw fenced(last.epoch)
    const owner = { epoch, attempt: Math.max(attemptMin, last?.epoch === epoch ? last.attempt + 1 : 1) }
    const file = await createFence(device, directory, owner)
    try {
      await file.write([encodeFence(owner, shardIdentity)], 0)
      await file.sync()
      await device.syncDirectory(directory)
      const earlier = await listFences(device, directory)
      const own = earlier.pop()
      if (own === undefined || compareOwners(own, owner) !== 0) throw fenced(own?.epoch)
      const former = await readFormer(device, directory, earlier.at(-1), shardIdentity)
      for (const other of earlier) await empty(device, pathOf(directory, other))
      return new Fence(file, owner, former, shardIdentity)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Where the device can read synchronously. */
  holdsSync(): boolean {
    return this.#file.readSync(this.#byte, 0) === 1
  }

  async holds(): Promise<boolean> {
    return (await this.#file.read(new Uint8Array(1), 0)) === 1
  }

  /** Leaves to the next owner where the log ends. Everything below must be on stable storage. */
  async close(closing: Closing): Promise<void> {
    await this.#file.write([encodeClosing(closing, closingSeed(this, this.#shardIdentity))], FENCE_BYTES)
  }

  /** Stops watching. The fence itself stays: it is what stops a late writer of a lower epoch. Idempotent. */
  release(): Promise<void> {
    return this.#file.close()
  }

  /** True for a fence file that this one has taken the place of. */
  replaces(name: string): boolean {
    const other = parseFenceName(name)
    return other !== undefined && compareOwners(other, this) < 0
  }
}

export function fenced(epoch: number | undefined): VarveError {
  return new VarveError('FENCED', 'another owner has taken the journal', { details: { epoch } })
}

/** Every fence in the directory, the latest last. */
export async function listFences(device: Device, directory: string): Promise<FenceOwner[]> {
  const owners: FenceOwner[] = []
  for (const { name } of await device.list(directory)) {
    const owner = parseFenceName(name)
    if (owner !== undefined) owners.push(owner)
  }
  return owners.sort(compareOwners)
}

function parseFenceName(name: string): FenceOwner | undefined {
  const match = FENCE_NAME.exec(name)
  return match === null ? undefined : { epoch: Number(match[1]), attempt: Number(match[2]) }
}

export function pathOf(directory: string, { epoch, attempt }: FenceOwner): string {
  return `${directory}/fence.${epoch}-${attempt}`
}

export function compareOwners(left: FenceOwner, right: FenceOwner): number {
  return left.epoch - right.epoch || left.attempt - right.attempt
}

async function createFence(device: Device, directory: string, owner: FenceOwner): Promise<DeviceFile> {
  try {
    return await device.open(pathOf(directory, owner), 'create')
  } catch (error) {
    // It was not there a moment ago: somebody else opens under this epoch, and was first.
    if (isCode(error, 'EXISTS')) throw fenced(owner.epoch)
    throw error
  }
}

/** From now on its owner is fenced, if it lives. Gone already: whoever removed it had emptied it. */
async function empty(device: Device, path: string): Promise<void> {
  try {
    const file = await device.open(path, 'write')
    try {
      await file.truncate(0)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!isCode(error, 'NOT_FOUND')) throw error
  }
}

async function readFormer(
  device: Device,
  directory: string,
  owner: FenceOwner | undefined,
  shardIdentity: number,
): Promise<FormerOwner | undefined> {
  if (owner === undefined) return undefined
  const path = pathOf(directory, owner)
  try {
    const file = await device.open(path, 'read')
    try {
      // One byte more than there should be: a longer file is damaged.
      const bytes = new Uint8Array(FENCE_BYTES + CLOSING_BYTES + 1)
      const length = await file.read(bytes, 0)
      return { ...owner, closing: decodeFence(bytes.subarray(0, length), owner, shardIdentity, path) }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return { ...owner, closing: undefined }
    throw error
  }
}

/** Where the log of `owner` ended, for who only reads; undefined where it was not closed, or that is lost. */
export async function readClosing(
  device: Device,
  directory: string,
  owner: FenceOwner,
  shardIdentity: number,
): Promise<Closing | undefined> {
  return (await readFormer(device, directory, owner, shardIdentity))?.closing
}

function encodeFence(content: FenceOwner, identity: number): Uint8Array {
  const bytes = new Uint8Array(FENCE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, MAGIC, true)
  view.setUint32(8, FENCE_VERSION, true)
  view.setUint32(12, content.attempt, true)
  setU64(view, 16, content.epoch)
  view.setUint32(0, hashKey(bytes, 4, FENCE_BYTES, identity), true)
  return bytes
}

/** What its owner left when it closed; nothing where the file is empty, torn or damaged. */
function decodeFence(file: Uint8Array, owner: FenceOwner, identity: number, path: string): Closing | undefined {
  if (file.length < FENCE_BYTES || file.length > FENCE_BYTES + CLOSING_BYTES) return undefined
  const bytes = file.subarray(0, FENCE_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(4, true) !== MAGIC || view.getUint32(0, true) !== hashKey(bytes, 4, FENCE_BYTES, identity)) {
    return undefined
  }
  if (view.getUint32(12, true) !== owner.attempt || getU64(view, 16) !== owner.epoch)
    throw journalCorrupt(path, 0, 'it is the fence of another opening, or of another database')
  const version = view.getUint32(8, true)
  if (version !== FENCE_VERSION) {
    throw new VarveError('INCOMPATIBLE', `${path} has fence format ${version}, this varve reads ${FENCE_VERSION}`, {
      details: { what: path, found: version, expected: FENCE_VERSION },
    })
  }
  return decodeClosing(file.subarray(FENCE_BYTES), closingSeed(owner, identity))
}

/** Belongs to one opening: a closing of another never verifies. */
function closingSeed(owner: FenceOwner, identity: number): number {
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
  const closing = { index: view.getUint32(8, true), endOffset: getU64(view, 16), end: getU64(view, 24) }
  return closing.end <= POSITION_MAX ? closing : undefined
}
