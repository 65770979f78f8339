/** Directories that are served: each locked once, whatever is in it. */

import { LocalFileStore } from '../../fs/local-file-store.ts'
import { LocalHeadStore } from '../../fs/local-head-store.ts'
import { NodeDevice } from '../../fs/node-device.ts'
import type { JournalSystem } from '../../journal/journal.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { Random } from '../../kernel/random.ts'
import { FILES, HEADS, refuseUnfinished, requirePathRoom } from '../../local-layout.ts'
import { lockDirectory } from '../../local-lock.ts'
import { journalsOn, sharedJournalOn } from './served-journals.ts'

/** What has been opened, to be closed in the opposite order. */
export class Opened {
  readonly #closes: (() => Promise<unknown>)[] = []

  add(close: () => Promise<unknown>): void {
    this.#closes.push(close)
  }

  async close(): Promise<void> {
    for (let close = this.#closes.pop(); close !== undefined; close = this.#closes.pop()) await close()
  }
}

export interface ServedBasis {
  readonly hash: Hash
  readonly random: Random
  readonly clock: Clock
  readonly opened: Opened
}

export class ServedDirectories {
  readonly #basis: ServedBasis
  readonly #devices = new Map<string, NodeDevice>()

  constructor(basis: ServedBasis) {
    this.#basis = basis
  }

  /** The layout of an embedded database: what was one can be served. @throws {VarveError} LOCKED, … */
  async files(directory: string): Promise<{ readonly files: LocalFileStore; readonly heads: LocalHeadStore }> {
    const { hash, random, opened } = this.#basis
    const device = await this.#device(directory)
    const files = await LocalFileStore.open({ device, directory: FILES, hash })
    opened.add(() => files.close())
    const heads = await LocalHeadStore.open({ device, directory: HEADS, hash, random })
    await files.removeLeftovers()
    await heads.removeLeftovers()
    return { files, heads }
  }

  /** One log per shard, in the layout of an embedded database. @throws {VarveError} LOCKED, NO_SPACE, … */
  async journals(directory: string): Promise<JournalSystem> {
    return journalsOn({ ...this.#basis, device: await this.#device(directory), directory })
  }

  /** One log for all shards. @throws {VarveError} LOCKED, NO_SPACE, … */
  async sharedJournal(directory: string): Promise<JournalSystem> {
    return sharedJournalOn({ ...this.#basis, device: await this.#device(directory), directory })
  }

  async #device(directory: string): Promise<NodeDevice> {
    const there = this.#devices.get(directory)
    if (there !== undefined) return there
    const device = new NodeDevice(directory)
    requirePathRoom(device.root)
    await refuseUnfinished(device, directory)
    await device.makeDirectory('.')
    const lock = await lockDirectory(device, directory, this.#basis.random)
    this.#basis.opened.add(() => lock.release())
    await lock.removeLeftovers()
    this.#devices.set(directory, device)
    return device
  }
}
