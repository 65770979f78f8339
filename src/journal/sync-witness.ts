/**
 * The witness of syncs: a small file beside the segments that says up to where everything is on stable storage.
 *
 *      synced.<epoch>-<attempt>
 *
 *      0          4       8              16
 *      +----------+-------+--------------+
 *      | checksum | magic | synced up to |
 *      | u32      | u32   | u64          |
 *      +----------+-------+--------------+
 *
 * Frames carry the watermark too, but the last synced ones have none behind them, and all of them may go with their
 * segment. This one lies elsewhere: what it bears witness of is never taken for a torn write. It is written after a sync
 * and never synced itself, which costs 2 µs beside 90; a power cut may take it back, and then frames are all there is.
 *
 * `checksum` is XXH32 of bytes 4 … 16, seeded with the shard's identity and the opening.
 */

import { Encoder } from '../kernel/codec.ts'
import type { Device, DeviceFile } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import { hashKey } from '../kernel/hash.ts'
import { POSITION_MAX, getU64, setU64 } from './frame.ts'

const WITNESS_BYTES = 16
const MAGIC = 0x53_4e_59_d6
const NAME = /^synced\.([0-9]+)-([0-9]+)$/

/** Which opening it speaks for. */
interface Opening {
  readonly epoch: number
  readonly attempt: number
}

export class SyncWitness {
  readonly #device: Device
  readonly #path: string
  readonly #seed: number
  #file: DeviceFile | undefined
  /** It only narrows what recovery must doubt: where it cannot be written, nothing else changes. */
  #able = true

  constructor(device: Device, directory: string, opening: Opening, shardIdentity: number) {
    this.#device = device
    this.#path = pathOf(directory, opening)
    this.#seed = seedOf(opening, shardIdentity)
  }

  /** Creates the file, once it can. Before the first sync, whose sync of the directory then covers the name too. */
  async open(): Promise<void> {
    if (!this.#able || this.#file !== undefined) return
    try {
      this.#file = await this.#device.open(this.#path, 'create')
    } catch (error) {
      // Without a descriptor now, perhaps with one at the next sync.
      if (!isCode(error, 'OUT_OF_FILES')) this.#able = false
    }
  }

  /** Says that everything below `syncedUpTo` is on stable storage. One call at a time. */
  async write(syncedUpTo: number): Promise<void> {
    if (!this.#able || this.#file === undefined) return
    try {
      const bytes = encodeWitness(syncedUpTo, this.#seed)
      if (this.#device.supports.syncWrite) this.#file.writeSync([bytes], 0)
      else await this.#file.write([bytes], 0)
    } catch {
      this.#able = false
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#able = false
    await this.#file?.close()
  }
}

/** Up to where everything was synced in that opening, at the least; 0 where nobody says so. */
export async function readWitness(
  device: Device,
  directory: string,
  opening: Opening,
  shardIdentity: number,
): Promise<number> {
  let file: DeviceFile
  try {
    file = await device.open(pathOf(directory, opening), 'read')
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return 0
    throw error
  }
  try {
    // One byte more than there should be: a longer file is damaged.
    const bytes = new Uint8Array(WITNESS_BYTES + 1)
    const length = await file.read(bytes, 0)
    return decodeWitness(bytes.subarray(0, length), seedOf(opening, shardIdentity))
  } finally {
    await file.close()
  }
}

/** True for the witness of an opening before `epoch` and `attempt`. */
export function isFormerWitness(name: string, { epoch, attempt }: Opening): boolean {
  const match = NAME.exec(name)
  if (match === null) return false
  return Number(match[1]) < epoch || (Number(match[1]) === epoch && Number(match[2]) < attempt)
}

function pathOf(directory: string, { epoch, attempt }: Opening): string {
  return `${directory}/synced.${epoch}-${attempt}`
}

function seedOf({ epoch, attempt }: Opening, shardIdentity: number): number {
  const bytes = new Encoder().varint(epoch).varint(attempt).finish()
  return hashKey(bytes, 0, bytes.length, shardIdentity)
}

function encodeWitness(syncedUpTo: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(WITNESS_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, MAGIC, true)
  setU64(view, 8, syncedUpTo)
  view.setUint32(0, hashKey(bytes, 4, WITNESS_BYTES, seed), true)
  return bytes
}

function decodeWitness(bytes: Uint8Array, seed: number): number {
  if (bytes.length !== WITNESS_BYTES) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(4, true) !== MAGIC) return 0
  if (view.getUint32(0, true) !== hashKey(bytes, 4, WITNESS_BYTES, seed)) return 0
  const syncedUpTo = getU64(view, 8)
  return syncedUpTo <= POSITION_MAX ? syncedUpTo : 0
}
