/**
 * Pins of clones and successors that never came to be, which the next owner of the shard drops.
 *
 * Whoever makes such a shard pins its files, writes its head, and pins them again: so a pin without a head may be dropped at
 * any time, as long as one that is set anew meanwhile stays.
 */

import type { ShardId } from '../kernel/ids.ts'
import type { HeadStore } from '../fs/fs.ts'
import type { Committer } from './committer.ts'
import { decodeHead } from './head-content.ts'
import type { Pin } from './head-content.ts'
import { clonedBy } from './pins.ts'
import { decide, outcomeOf } from './succession.ts'

/** Drops those of shards that never were: the process died between the pin and their head, or before they were decided on. */
export async function dropStalePins(committer: Committer, shard: ShardId, heads: HeadStore): Promise<void> {
  for (;;) {
    const seen = committer.content.pins
    const stale = new Set<Pin>()
    for (const pin of seen) {
      const clone = clonedBy(pin)
      if (clone !== undefined && !(await mayBe(clone, shard, heads))) stale.add(pin)
    }
    if (stale.size === 0) return
    // Other objects: the head was read again, because somebody has changed pins, one of these perhaps, whose shard is there now.
    await committer.commit(() => ({ changePins: (pins) => pins.filter((pin) => !stale.has(pin)) }))
    if (!committer.content.pins.some(({ name }) => [...stale].some((pin) => pin.name === name))) return
  }
}

/**
 * Gives up what an earlier owner of `shard` was making of it when it died: the heads of shards that were to come of it, which
 * have pinned files of `others` alone, and would keep them for ever.
 */
export async function giveUpForsaken(shard: ShardId, others: Iterable<ShardId>, heads: HeadStore): Promise<void> {
  for (const other of others) {
    const head = await heads.read(other)
    for (const pin of head === undefined ? [] : decodeHead(head.content, `head of ${other}`).pins) {
      const clone = clonedBy(pin)
      if (clone !== undefined && clone !== shard) await mayBe(clone, shard, heads)
    }
  }
}

/** Whether `clone` is a shard, or may become one. */
async function mayBe(clone: ShardId, owner: ShardId, heads: HeadStore): Promise<boolean> {
  const head = await heads.read(clone)
  if (head === undefined) return false
  const { succession } = decodeHead(head.content, `head of ${clone}`)
  if (succession?.state === 'void') return false
  if (succession?.state !== 'forming') return true
  // `owner` is ours now. Who was at it before, asleep perhaps, must not decide otherwise later.
  if (succession.parents.includes(owner)) return (await decide(heads, succession.lead, 'void')) === 'committed'
  return (await outcomeOf(heads, succession.lead)) !== 'void'
}
