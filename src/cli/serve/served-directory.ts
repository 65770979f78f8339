/** Directories that are served: each locked once, whatever is in it. */

import { DirectoryLock } from '../../fs/directory-lock.ts'
import { LocalFileStore } from '../../fs/local-file-store.ts'
import { LocalHeadStore } from '../../fs/local-head-store.ts'
import { NodeDevice } from '../../fs/node-device.ts'
import { NodeProcessTable } from '../../fs/node-process-table.ts'
import { LocalJournalSystem } from '../../journal/local-journal-system.ts'
import { RenewedSharedJournal } from '../../journal/renewed-shared-journal.ts'
import type { JournalSystem } from '../../journal/journal.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { Random } from '../../kernel/random.ts'
import { loadNative } from '../../native/load-native.ts'
import { NativeFileHolds } from '../../native/native-file-holds.ts'
import { openSharedLog } from './shared-log.ts'
import { FILES, HEADS, JOURNAL } from '../../local-layout.ts'

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

  /** One log per shard, in the layout of an embedded database. */
  async journals(directory: string): Promise<JournalSystem> {
    const { hash, random, clock } = this.#basis
    const device = await this.#device(directory)
    return new LocalJournalSystem({ device, directory: JOURNAL, hash, random, clock })
  }

  /**
   * One log for all shards.
   *
   *      <directory>/lock      who serves it
   *      <directory>/state/    epoch of the log, and what its journal keeps
   *      <directory>/log/      segments
   */
  async sharedJournal(directory: string): Promise<JournalSystem> {
    const { hash, random, clock, opened } = this.#basis
    const device = await this.#device(directory)
    const heads = await LocalHeadStore.open({ device, directory: 'state', hash, random })
    await heads.removeLeftovers()
    const journals = new LocalJournalSystem({ device, directory: 'log', hash, random, clock })
    const system = await RenewedSharedJournal.open(() => openSharedLog(heads, journals))
    opened.add(() => system.close())
    return system
  }

  async #device(directory: string): Promise<NodeDevice> {
    const there = this.#devices.get(directory)
    if (there !== undefined) return there
    const device = new NodeDevice(directory)
    await device.makeDirectory('.')
    const native = loadNative()
    const lock = await DirectoryLock.acquire({
      device,
      directory: '.',
      shownAs: directory,
      processes: new NodeProcessTable(),
      random: this.#basis.random,
      ...(native === undefined ? {} : { holds: new NativeFileHolds(native, directory) }),
    })
    this.#basis.opened.add(() => lock.release())
    this.#devices.set(directory, device)
    return device
  }
}
