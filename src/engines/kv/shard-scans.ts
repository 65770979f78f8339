/** The open scans of a shard, and what they ask of it: one host for all of them, as opening a scan is most of a short one. */

import { BatchPool } from '../../kernel/batch-pool.ts'
import type { Cursor } from '../../kernel/cursor.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import type { Pace } from '../../kernel/pace.ts'
import type { CopyOut } from './copy-out.ts'
import { EntryCopies } from './entry-copies.ts'
import type { KvParts } from './kv-parts.ts'
import type { KvView } from './lookup.ts'
import { PassedDeletions } from './passed-deletions.ts'
import { Scan } from './scan.ts'
import type { ScanHost } from './scan.ts'
import type { ScanPlan } from './scan-plan.ts'
import type { SyncFill } from './sync-fill.ts'
import { openView } from './view-cursor.ts'

/** What scans share with other reads of the shard. */
export interface ScanReads {
  readonly copies: CopyOut
  readonly fill: SyncFill
  readonly pace: Pace
  /** See `ScanHost`. */
  check(): void
  track<T>(reading: Promise<T>): Promise<T>
}

export class ShardScans implements ScanHost {
  readonly order: KeyOrder
  readonly copies: EntryCopies
  readonly batches = new BatchPool()
  readonly fill: SyncFill
  readonly #shard: KvParts['shard']
  readonly #reads: ScanReads
  readonly #passed: PassedDeletions
  readonly #scans = new Set<Scan>()

  constructor({ shard, order }: Pick<KvParts, 'shard' | 'order'>, reads: ScanReads) {
    this.order = order
    this.copies = new EntryCopies(reads.copies)
    this.fill = reads.fill
    this.#shard = shard
    this.#reads = reads
    this.#passed = new PassedDeletions(shard)
  }

  /** @param plan whose seqno is pinned, and let go when the scan is closed */
  scan(plan: ScanPlan): Scan {
    const scan = new Scan(this, plan)
    this.#scans.add(scan)
    return scan
  }

  closeAll(): void {
    for (const scan of this.#scans) scan.close()
  }

  view(): KvView {
    return this.#shard.view
  }

  pin(): KvView {
    return this.#shard.pin()
  }

  unpin(view: KvView): void {
    this.#shard.unpin(view)
  }

  open(view: KvView, range: KeyRange, { reverse, seqno }: ScanPlan): Cursor {
    return openView(view, { range, reverse, seqno, versions: 'newest' }, this.order, this.batches)
  }

  check(): void {
    this.#reads.check()
  }

  pace(): Promise<void> | undefined {
    return this.#reads.pace.take()
  }

  track<T>(reading: Promise<T>): Promise<T> {
    return this.#reads.track(reading)
  }

  passed(count: number): void {
    if (count > 0) this.#passed.add(count)
  }

  closed(scan: Scan, { seqno }: ScanPlan): void {
    this.#scans.delete(scan)
    this.#shard.unpinSeqno(seqno)
  }
}
