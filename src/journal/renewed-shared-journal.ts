/**
 * A shared log that goes on after its disk has failed: the next shard that is opened opens the log below anew.
 *
 * A log that a write or a sync has failed takes nothing more, nor does one whose files were moved away, and it is
 * everybody's: without this one failure of a disk, long over, would keep every shard closed until somebody starts the service
 * again. Whoever had a journal in the old log is refused there, as its contract says, and opens again.
 */

import { isCode } from '../kernel/errors.ts'
import type { VarveError } from '../kernel/errors.ts'
import type { Epoch, JournalPosition, ShardId } from '../kernel/ids.ts'
import type { Journal, JournalReader, JournalStateKeeper, JournalSupport, JournalSystem } from './journal.ts'
import { SharedJournalSystem } from './shared-journal-system.ts'
import type { SharedJournalSettings } from './shared-settings.ts'

/** A `SharedJournalSystem` that is made anew where the log below has failed. Its own `close` closes that log. */
export class RenewedSharedJournal implements JournalSystem {
  readonly #openBelow: () => Promise<Journal>
  readonly #settings: Partial<SharedJournalSettings>
  readonly #crowded: (() => boolean) | undefined
  #system: SharedJournalSystem
  #renewing: Promise<SharedJournalSystem> | undefined

  private constructor(
    openBelow: () => Promise<Journal>,
    settings: Partial<SharedJournalSettings>,
    crowded: (() => boolean) | undefined,
    system: SharedJournalSystem,
  ) {
    this.#openBelow = openBelow
    this.#settings = settings
    this.#crowded = crowded
    this.#system = system
  }

  /**
   * @param openBelow the log below, each time with a higher epoch
   * @param crowded as `SharedJournalSystem.open`
   * @throws {VarveError} JOURNAL_CORRUPT, and what `openBelow` throws
   */
  static async open(
    openBelow: () => Promise<Journal>,
    settings: Partial<SharedJournalSettings> = {},
    crowded?: () => boolean,
  ): Promise<RenewedSharedJournal> {
    const system = await SharedJournalSystem.open(await openBelow(), settings, crowded)
    return new RenewedSharedJournal(openBelow, settings, crowded, system)
  }

  get name(): string {
    return this.#system.name
  }

  get version(): number {
    return this.#system.version
  }

  get supports(): JournalSupport {
    return this.#system.supports
  }

  async open(shard: ShardId, epoch: Epoch, state: JournalStateKeeper, needed?: JournalPosition): Promise<Journal> {
    return (await this.#sound()).open(shard, epoch, state, needed)
  }

  async openReadOnly(shard: ShardId, state: Uint8Array | undefined, needed?: JournalPosition): Promise<JournalReader> {
    return (await this.#sound()).openReadOnly(shard, state, needed)
  }

  /** Closes the log below. */
  async close(): Promise<void> {
    await this.#renewing?.catch(() => undefined)
    await this.#system.close()
  }

  /** One whose log below takes appends, as far as is known. */
  async #sound(): Promise<SharedJournalSystem> {
    if (this.#renewing === undefined) {
      const system = this.#system
      try {
        await system.barrier()
        return system
      } catch (error) {
        // Corrupt is a log whose files are not in their places: perhaps they are again.
        if (!isCode(error, 'OUTCOME_UNKNOWN', 'CLOSED', 'JOURNAL_CORRUPT')) throw error
        // Another one may have seen it first.
        if (this.#system !== system) return this.#system
        this.#renewing ??= this.#renew(error).finally(() => (this.#renewing = undefined))
      }
    }
    return this.#renewing
  }

  async #renew(reason: VarveError): Promise<SharedJournalSystem> {
    await this.#system.end(reason)
    this.#system = await SharedJournalSystem.open(await this.#openBelow(), this.#settings, this.#crowded)
    return this.#system
  }
}
