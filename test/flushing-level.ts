/** A VarveLevel whose writes are flushed to tables before they resolve, so that reads find them there. */

import { VarveLevel } from '../src/engines/level/varve-level.ts'
import type { BatchOperation } from '../src/engines/level/level-batch.ts'
import type { EncodedData } from '../src/engines/level/encoded-data.ts'
import type { LevelOpenOptions, LevelWriteOptions, OpenShard } from '../src/engines/level/level.ts'

/* oxlint-disable eslint/no-underscore-dangle -- the private methods of abstract-level are called that */

/** Totals over all databases of a run. */
export interface FlushTotals {
  flushes: number
  compactions: number
}

export interface Flushing {
  readonly openShard: OpenShard
  readonly totals: FlushTotals
  /** False: only what fills a memtable is flushed. Default true. */
  readonly flushes?: boolean
  /** False: files cannot be read synchronously, which the manifest then says. Default true. */
  readonly syncReads?: boolean
}

/** Its options are set at opening and not by the caller, because hooks are shown the caller's and the suite compares them. */
export class FlushingLevel<K = string, V = string> extends VarveLevel<K, V> {
  readonly #flushing: Flushing
  #flush: () => Promise<void> = () => Promise.resolve()

  constructor(location: string, options: object | undefined, flushing: Flushing) {
    super(location, options)
    this.#flushing = flushing
    if (flushing.syncReads === false) Object.assign(this.supports, { getSync: false })
  }

  protected override _open(options: LevelOpenOptions): Promise<void> {
    const { openShard, flushes = true } = this.#flushing
    return super._open({
      ...options,
      openShard: async (location, shardOptions) => {
        const shard = await openShard(location, shardOptions)
        if (flushes) this.#flush = () => shard.flush()
        return shard
      },
    })
  }

  protected override _close(): Promise<void> {
    const { flushes, compactions } = this.statistics()
    this.#flushing.totals.flushes += flushes
    this.#flushing.totals.compactions += compactions
    // What is closed need not stay in memory: the suite holds a thousand databases.
    this.#flush = () => Promise.resolve()
    return super._close()
  }

  protected override async _put(key: EncodedData, value: EncodedData, options: LevelWriteOptions): Promise<void> {
    await super._put(key, value, options)
    await this.#flush()
  }

  protected override async _del(key: EncodedData, options: LevelWriteOptions): Promise<void> {
    await super._del(key, options)
    await this.#flush()
  }

  protected override async _batch(operations: readonly BatchOperation[], options: LevelWriteOptions): Promise<void> {
    await super._batch(operations, options)
    await this.#flush()
  }
}
