/** Directories that are served: each locked once, whatever is in it. */

import { DirectoryLock } from '../../fs/directory-lock.ts'
import { LocalFileStore } from '../../fs/local-file-store.ts'
import { LocalHeadStore } from '../../fs/local-head-store.ts'
import { NodeDevice } from '../../fs/node-device.ts'
import { NodeProcessTable } from '../../fs/node-process-table.ts'
import { LocalJournalSystem } from '../../journal/local-journal-system.ts'
import { SharedJournalSystem } from '../../journal/shared-journal-system.ts'
import type { JournalSystem } from '../../journal/journal.ts'
import { copyOf } from '../../kernel/bytes.ts'
import { Decoder, Encoder } from '../../kernel/codec.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import { epoch, shardId } from '../../kernel/ids.ts'
import type { Random } from '../../kernel/random.ts'
import { loadNative } from '../../native/load-native.ts'
import { NativeFileHolds } from '../../native/native-file-holds.ts'

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
    const files = await LocalFileStore.open({ device, directory: 'files', hash })
    opened.add(() => files.close())
    const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
    await files.removeLeftovers()
    await heads.removeLeftovers()
    return { files, heads }
  }

  /** One log per shard, in the layout of an embedded database. */
  async journals(directory: string): Promise<JournalSystem> {
    const device = await this.#device(directory)
    return new LocalJournalSystem({ device, directory: 'journal', hash: this.#basis.hash })
  }

  /**
   * One log for all shards.
   *
   *      <directory>/lock      who serves it
   *      <directory>/state/    epoch of the log, and what its journal keeps
   *      <directory>/log/      segments
   */
  async sharedJournal(directory: string): Promise<JournalSystem> {
    const { hash, random, opened } = this.#basis
    const device = await this.#device(directory)
    const heads = await LocalHeadStore.open({ device, directory: 'state', hash, random })
    await heads.removeLeftovers()
    const shard = shardId('shared')
    const head = await heads.read(shard)
    const before = head === undefined ? { epoch: 0, state: undefined } : decodeState(head.content)
    const now = epoch(before.epoch + 1)
    let state = before.state
    let version = await heads.compareAndSet(shard, head?.version, encodeState(now, state))
    const keeper = {
      get state() {
        return state
      },
      commit: async (next: Uint8Array): Promise<void> => {
        version = await heads.compareAndSet(shard, version, encodeState(now, next))
        state = copyOf(next)
      },
    }
    const local = new LocalJournalSystem({ device, directory: 'log', hash })
    const system = await SharedJournalSystem.open(await local.open(shard, now, keeper))
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

/** Epoch as a varint, then the state, where there is one. */
function encodeState(now: number, state: Uint8Array | undefined): Uint8Array {
  const encoder = new Encoder().varint(now)
  return (state === undefined ? encoder : encoder.raw(state)).finish()
}

function decodeState(content: Uint8Array): { readonly epoch: number; readonly state: Uint8Array | undefined } {
  const decoder = new Decoder(content, (reason) => {
    throw new VarveError('HEAD_CORRUPT', `the state of the shared log is damaged: ${reason}`)
  })
  const now = decoder.varint()
  return { epoch: now, state: decoder.remaining === 0 ? undefined : copyOf(decoder.raw(decoder.remaining)) }
}
