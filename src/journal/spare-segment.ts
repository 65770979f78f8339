/**
 * The files of the segments that come next: a new one, created while the segment before it is being filled, or those of
 * segments that have been dropped, under other names.
 *
 * Creating a file takes three trips to the thread pool and up to 50 ms while a flush syncs, and every write waits for it:
 * of 100,000 puts a second it was the longest wait. And a file that is used again has its pages in the system's memory: a
 * write of 16 KiB takes 8 µs in place of 18 to 20 (decisions/0028; RocksDB's `recycle_log_file_num`, Pebble's log recycler).
 *
 * Nothing in a file used again verifies under its new name. Until its new header is written it is no segment: recovery knows it
 * by the header of one that has gone, and a new file by having none.
 */

import type { Clock, Timer } from '../kernel/clock.ts'
import type { Device, DeviceDirectory, DeviceFile } from '../kernel/device.ts'
import type { SegmentHeir } from './segment-chain.ts'
import { sameOwner, segmentName } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'
import type { SegmentNames } from './segment-names.ts'
import type { Segment } from './segment.ts'

// Segments are dropped when others are half full and have a new file behind them already. That is taken first.
const SPARES_MAX = 2
// As many such files have to fit beside it: where space is scarce, it is given back.
const FREE_TIMES = 16
/** Whoever does not need it by then writes so little that a new file is as good, and a thousand such shards fill a disk. */
const KEPT_MS = 10_000

/** A file whose number is used for nothing else. */
export interface SpareFile {
  readonly id: SegmentId
  readonly file: DeviceFile
  /** How long it is: what a former segment left in it. */
  readonly bytes: number
}

/** What a spare is of use to. */
export interface SpareSettings {
  /** Of a whole segment: a file that is longer, or less than half of it, is not used again. */
  readonly segmentBytes: number
  /** Whether space is given back at once. Default: never. */
  readonly crowded?: (() => boolean) | undefined
  /** For how long one is kept. Default: no file is used again. */
  readonly clock?: Clock | undefined
}

export class SpareSegment implements SegmentHeir {
  readonly #device: Device
  readonly #directory: string
  readonly #names: SegmentNames
  readonly #owner: Omit<SegmentId, 'index'>
  readonly #settings: SpareSettings
  #index = 0
  /** In the order of their names. They resolve with undefined where there is none after all. */
  readonly #spares: Promise<SpareFile | undefined>[] = []
  #timer: Timer | undefined
  #closed = false

  constructor(
    device: Device,
    directory: string,
    names: SegmentNames,
    owner: Omit<SegmentId, 'index'>,
    settings: SpareSettings,
  ) {
    this.#device = device
    this.#directory = directory
    this.#names = names
    this.#owner = owner
    this.#settings = settings
  }

  /** Begins to create one, where there is none. What fails now is tried again when it is needed, and fails there. */
  prepare(): void {
    if (this.#spares.length === 0) this.#spares.push(this.#create().catch(() => undefined))
  }

  /**
   * Takes the file of a segment that is being dropped and closed, in place of its being removed: its name has gone, durably.
   *
   * @param directory of the journal
   * @returns false where nobody has a use for it, and it has to be removed
   * @throws {VarveError} what `directory.sync` throws
   */
  async adopt(dropped: Segment, directory: DeviceDirectory): Promise<boolean> {
    if (!this.#fits(dropped) || !(await this.#hasRoom(dropped))) return false
    if (this.#closed || this.#spares.length >= SPARES_MAX) return false
    const adopted = this.#rename(dropped, directory)
    this.#spares.push(adopted.catch(() => undefined))
    this.#timer?.cancel()
    this.#timer = this.#settings.clock?.after(KEPT_MS, () => void this.#release().catch(() => undefined))
    return (await adopted) !== undefined
  }

  /** The first spare, or a new file; the caller's from now on. What it throws has left nothing. */
  async take(): Promise<SpareFile> {
    while (this.#spares.length > 0) {
      const spare = await this.#spares.shift()
      if (spare !== undefined) return spare
    }
    return this.#create()
  }

  /** Closes and removes all of them, for good. */
  async discard(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#release()
  }

  async #release(): Promise<void> {
    for (const created of this.#spares.splice(0)) {
      const spare = await created
      if (spare === undefined) continue
      await spare.file.close()
      // Only tidiness: whoever opens the log ignores it.
      await this.#device.unlink(spare.file.path).catch(() => {})
    }
  }

  /** Files of other owners are theirs to read, or what a follower of theirs reads. */
  #fits({ id, storedBytes, present }: Segment): boolean {
    const { segmentBytes, crowded, clock } = this.#settings
    if (clock === undefined || !present || !sameOwner(id, this.#owner) || crowded?.() === true) return false
    return storedBytes <= segmentBytes && storedBytes >= segmentBytes / 2
  }

  async #hasRoom({ storedBytes }: Segment): Promise<boolean> {
    try {
      return (await this.#device.space(this.#directory)).freeBytes >= FREE_TIMES * storedBytes
    } catch {
      return false
    }
  }

  async #rename({ path, storedBytes }: Segment, directory: DeviceDirectory): Promise<SpareFile | undefined> {
    // At once: names are in the order of the spares.
    const { id, path: next } = this.#nextName()
    try {
      await this.#device.rename(path, next)
    } catch {
      // Whatever it is, whoever removes the file hears of it.
      return undefined
    }
    // Before anything is written to it: what a power cut leaves under the former name is the former segment.
    await directory.sync()
    try {
      return { id, file: await this.#device.open(next, 'write'), bytes: storedBytes }
    } catch {
      // Without a descriptor it is of no use. The next owner may have removed it.
      await this.#device.unlink(next).catch(() => {})
      return undefined
    }
  }

  async #create(): Promise<SpareFile> {
    const { id, path } = this.#nextName()
    return { id, file: await this.#names.create(path), bytes: 0 }
  }

  /** A number is used once, also where creating its file fails. */
  #nextName(): { readonly id: SegmentId; readonly path: string } {
    const id = { ...this.#owner, index: ++this.#index }
    return { id, path: `${this.#directory}/${segmentName(id)}` }
  }
}
