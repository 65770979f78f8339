/** An owned shard on its way to be replaced: it takes no writes, and waits for what becomes of it. */

import { VarveError } from '../kernel/errors.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import type { Committer } from './committer.ts'
import type { ManifestState } from './edit.ts'
import type { HeadContent } from './head-content.ts'
import { clonePin, withFiles, withPin } from './pins.ts'
import type { HandOver } from './shard.ts'

/** What handing over needs of the shard. */
export interface HandOverHost {
  /** Throws where there is nothing to hand over any more. */
  check(): void
  /** Holds writes back, and puts everything written before into files. */
  flush(): Promise<void>
  /** Writes go on. */
  resumed(): void
  /** No write is taken any more, because of `reason`. */
  ended(reason: VarveError): void
}

export class HandOvers<View> {
  readonly #shard: ShardId
  readonly #committer: Committer
  readonly #manifest: { readonly state: ManifestState }
  /** Who pins one keeps the files there are. */
  readonly #views: { pin(): View; unpin(view: View): void }
  readonly #host: HandOverHost
  #begun = false

  constructor(
    shard: ShardId,
    committer: Committer,
    manifest: { readonly state: ManifestState },
    views: { pin(): View; unpin(view: View): void },
    host: HandOverHost,
  ) {
    this.#views = views
    this.#shard = shard
    this.#committer = committer
    this.#manifest = manifest
    this.#host = host
  }

  /** One at a time. Errors as `Shard.handOver`. */
  async begin(): Promise<HandOver> {
    const host = this.#host
    host.check()
    if (this.#begun) throw new VarveError('BUSY', 'the shard is being handed over already')
    this.#begun = true
    const resumed = (): void => {
      this.#begun = false
      host.resumed()
    }
    try {
      await host.flush()
    } catch (error) {
      resumed()
      throw error
    }
    const view = this.#views.pin()
    return new OwnedHandOver(this.#shard, this.#committer, this.#manifest.state, {
      resumed: () => {
        this.#views.unpin(view)
        resumed()
      },
      ended: (reason) => host.ended(reason),
    })
  }
}

class OwnedHandOver implements HandOver {
  readonly shard: ShardId
  readonly head: HeadContent
  readonly manifest: ManifestState
  readonly #committer: Committer
  readonly #host: Pick<HandOverHost, 'resumed' | 'ended'>

  /** @param manifest everything is in its files, which stay until the host hears what became of them */
  constructor(
    shard: ShardId,
    committer: Committer,
    manifest: ManifestState,
    host: Pick<HandOverHost, 'resumed' | 'ended'>,
  ) {
    this.shard = shard
    this.head = committer.content
    this.manifest = manifest
    this.#committer = committer
    this.#host = host
  }

  async pin(successor: ShardId, files: readonly FileName[]): Promise<void> {
    await this.#committer.commit(() => ({
      changePins: (pins) => withPin(pins, clonePin(successor), withFiles(files)),
    }))
  }

  async seal(lead: ShardId, successors: readonly ShardId[]): Promise<void> {
    await this.#committer.commit(() => ({ succession: { state: 'sealed', lead, successors } }))
  }

  async resume(successors: readonly ShardId[]): Promise<void> {
    const names = new Set(successors.map(clonePin))
    try {
      await this.#committer.commit(() => ({
        succession: undefined,
        changePins: (pins) => pins.filter(({ name }) => !names.has(name)),
      }))
    } catch {
      // A seal of which the lead is void is none, and a pin of a shard that never was goes with the next owner.
    }
    this.#host.resumed()
  }

  end(reason: VarveError): void {
    this.#host.ended(reason)
  }
}
