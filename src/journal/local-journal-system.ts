/**
 * The local journal system: one directory per shard on a device.
 *
 *      <directory>/<shard>/fence.<epoch>-<attempt>          who owns it
 *      <directory>/<shard>/synced.<epoch>-<attempt>         up to where it has synced
 *      <directory>/<shard>/<epoch>-<attempt>-<index>.log    segments
 *
 * Opening: raise the fence, so that nobody else is acknowledged any more; find where the log ends; make it durable;
 * commit that end in the shard's head; only then write. Whatever an earlier owner adds later is beyond a committed end.
 */

import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Device } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Epoch, JournalPosition, ShardId } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import { Fence, fenced, readClosing } from './fence.ts'
import type { Closing } from './fence.ts'
import type { Journal, JournalReader, JournalStateKeeper, JournalSupport, JournalSystem } from './journal.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import { LOCAL_JOURNAL, decodeJournalState, encodeJournalState } from './journal-state.ts'
import type { JournalState } from './journal-state.ts'
import { keepLastFrame } from './kept-frame.ts'
import { LocalJournal } from './local-journal.ts'
import { LocalJournalReader } from './local-journal-reader.ts'
import { LogWatch } from './log-watch.ts'
import { recover, settle } from './recovery.ts'
import type { LeftBehind, Recovered, RecoveryComponents } from './recovery.ts'
import { requireFence } from './required-fence.ts'
import { SegmentChain } from './segment-chain.ts'
import { segmentName, shardIdentity } from './segment-id.ts'
import { Standing } from './standing.ts'
import { SyncWitness, isFormerWitness, readWitness } from './sync-witness.ts'
import { resolveLocalJournalSettings } from './settings.ts'
import type { LocalJournalSettings } from './settings.ts'

// An owner that was fenced cuts its log once at most: it looks at its fence first.
const RECOVERIES_MAX = 3

/** What journals on a disk are made of. */
export interface LocalJournalComponents {
  /** The disk, or what stands for one. */
  readonly device: Device
  /** Where on the device; made when the first shard is opened. */
  readonly directory: string
  /** Checksums of records. */
  readonly hash: Hash
  /** Where attempts begin: journals made by the same recipe differ in nothing else. */
  readonly random: Random
  /**
   * For an owner that looks, now and then, whether its segments are still there, and keeps files of those it has dropped for
   * a while, to use them again. Default: it does neither.
   */
  readonly clock?: Clock
  /** Whether space is so scarce that little things are done to give some back. Default: it never is. */
  readonly crowded?: () => boolean
  /** Default, each: that of `LOCAL_JOURNAL_DEFAULTS`. */
  readonly settings?: Partial<LocalJournalSettings>
}

/** Journals in directories of one device. Nothing of it has to be closed but the journals. */
export class LocalJournalSystem implements JournalSystem {
  readonly name = LOCAL_JOURNAL
  readonly version = 1
  readonly supports: JournalSupport = Object.freeze({
    durability: Object.freeze(['written', 'synced'] as const),
    read: true,
    opensAtNeeded: true,
  })
  readonly #device: Device
  readonly #directory: string
  readonly #hash: Hash
  readonly #random: Random
  readonly #clock: Clock | undefined
  readonly #crowded: (() => boolean) | undefined
  readonly #settings: LocalJournalSettings

  constructor(components: LocalJournalComponents) {
    this.#device = components.device
    this.#directory = components.directory
    this.#hash = components.hash
    this.#random = components.random
    this.#clock = components.clock
    this.#crowded = components.crowded
    this.#settings = resolveLocalJournalSettings(components.settings)
  }

  async open(shard: ShardId, epoch: Epoch, keeper: JournalStateKeeper, needed?: JournalPosition): Promise<Journal> {
    assert(epoch >= 1, 'the first owner has epoch 1')
    const identity = shardIdentity(shard)
    const former = keeper.state === undefined ? undefined : decodeJournalState(keeper.state, identity)
    if (former !== undefined && former.epoch > epoch) throw fenced(former.epoch)
    const components = this.#recovery(shard, false)
    const { directory } = components
    if (former !== undefined) await requireFence(this.#device, directory, former, epoch)
    await this.#device.makeDirectory(directory)
    const attemptMin = former?.epoch === epoch ? former.attempt + 1 : this.#firstAttempt()
    const fence = await Fence.raise(this.#device, directory, epoch, attemptMin, identity)
    try {
      const recovered = await this.#recovered(components, former, needed, fence)
      const chain = this.#chain(components, recovered)
      await settle(components, recovered)
      await keeper.commit(encodeJournalState(stateOf(fence, recovered), identity))
      await this.#clean(directory, recovered, fence)
      const witness = new SyncWitness(this.#device, directory, fence, identity)
      const watch = this.#clock === undefined ? undefined : new LogWatch(this.#device, this.#clock, chain, needed ?? 0)
      const standing = new Standing(fence, watch)
      const log = { ...components, settings: this.#settings, crowded: this.#crowded, clock: this.#clock }
      return new LocalJournal(log, { fence: standing, witness }, chain)
    } catch (error) {
      // What is missing a later owner may have removed.
      const isReplaced = isCode(error, 'JOURNAL_CORRUPT') && !(await fence.holds().catch(() => true))
      await fence.release()
      throw isReplaced ? fenced(undefined) : error
    }
  }

  async openReadOnly(shard: ShardId, state: Uint8Array | undefined, needed?: JournalPosition): Promise<JournalReader> {
    const components = this.#recovery(shard, true)
    const decoded = state === undefined ? undefined : decodeJournalState(state, shardIdentity(shard))
    if (decoded !== undefined) await requireFence(this.#device, components.directory, decoded)
    // Before the segments: an owner that is at work writes more meanwhile.
    const left: LeftBehind = { closing: undefined, syncedUpTo: await storedUpTo(components, decoded) }
    return new LocalJournalReader(this.#chain(components, await recover(components, decoded, needed, left)))
  }

  /** What the former owner left, with what it could still take back out of its reach. */
  async #recovered(
    components: RecoveryComponents,
    former: JournalState | undefined,
    needed: JournalPosition | undefined,
    fence: Fence,
  ): Promise<Recovered> {
    for (let left = RECOVERIES_MAX; ; left--) {
      const recovered = await recover(components, former, needed, {
        closing: closingOf(fence, former),
        syncedUpTo: await witnessOf(components, former),
      })
      // While nothing has changed yet: a file that is put back is found again.
      if (needed !== undefined) this.#chain(components, recovered).checkWhole(needed)
      const kept = await keepLastFrame(components, recovered, fence)
      if (kept !== undefined) return kept
      if (left === 1) throw journalCorrupt(components.directory, 0, 'it is being cut while it is read')
    }
  }

  /** 1 … 2^31, so that the openings of an epoch can be counted on from there, in a u32. */
  #firstAttempt(): number {
    return 1 + (this.#random.u32() >>> 1)
  }

  #recovery(shard: ShardId, readOnly: boolean): RecoveryComponents {
    return {
      device: this.#device,
      hash: this.#hash,
      directory: `${this.#directory}/${shard}`,
      shard,
      readBytes: this.#settings.readBytes,
      readOnly,
    }
  }

  #chain({ device, hash, directory, readBytes }: RecoveryComponents, recovered: Recovered): SegmentChain {
    return new SegmentChain(device, hash, directory, readBytes, recovered)
  }

  /** Removes what is not part of the log: nothing refers to it, and nothing depends on its going. */
  async #clean(directory: string, recovered: Recovered, fence: Fence): Promise<void> {
    const names = recovered.ignored.map(segmentName)
    for (const { name } of await this.#device.list(directory)) {
      if (fence.replaces(name) || isFormerWitness(name, fence)) names.push(name)
    }
    for (const name of names) {
      try {
        await this.#device.unlink(`${directory}/${name}`)
      } catch (error) {
        if (!isCode(error, 'NOT_FOUND', 'IO_FAILED', 'PERMISSION_DENIED')) throw error
      }
    }
  }
}

/** What the committed owner left; nothing where the fence that was replaced is not its own. */
function closingOf({ former }: Fence, state: JournalState | undefined): Closing | undefined {
  return former?.epoch === state?.epoch && former?.attempt === state?.attempt ? former?.closing : undefined
}

/** Up to where the committed owner had synced, at the least. */
async function witnessOf(components: RecoveryComponents, state: JournalState | undefined): Promise<number> {
  if (state === undefined) return 0
  return readWitness(components.device, components.directory, state, shardIdentity(components.shard))
}

/**
 * As `witnessOf`, or to the end of a log that was closed. Its segments are scanned all the same: whoever opens it next may
 * remove them meanwhile.
 */
async function storedUpTo(components: RecoveryComponents, state: JournalState | undefined): Promise<number> {
  if (state === undefined) return 0
  const { device, directory, shard } = components
  return Math.max(
    await witnessOf(components, state),
    (await readClosing(device, directory, state, shardIdentity(shard)))?.end ?? 0,
  )
}

function stateOf(fence: Fence, recovered: Recovered): JournalState {
  return {
    epoch: fence.epoch,
    attempt: fence.attempt,
    start: recovered.end,
    segments: recovered.segments.map(({ id, base, end }) => ({ id, base, end })),
  }
}
