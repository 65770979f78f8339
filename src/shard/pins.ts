/**
 * Pins: files of a shard that another shard still needs.
 *
 * A clone refers to files of the shard it was made from; that shard's head holds a pin with their names, and its owner
 * deletes none of them. Only who set a pin changes it, so a pin may be changed by compare-and-set from anywhere: the
 * owner's commits see that the head has changed, take the pins as they are, and go on.
 *
 * Deleting is safe against a pin that is just being set: the pins an owner knows are those of its last commit, the one
 * that dropped the file or a later one. Whoever read the head before that commit fails to change it after.
 */

import { isCode } from '../kernel/errors.ts'
import { isShardId } from '../kernel/ids.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import type { HeadStore } from '../fs/fs.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { Pin } from './head-content.ts'

/** The pin that keeps what `clone` refers to. */
export function clonePin(clone: ShardId): string {
  return `clone:${clone}`
}

/** The shard that a pin is for, where it is a clone's. A name that no shard can have is somebody else's. */
export function clonedBy(pin: Pin): ShardId | undefined {
  if (!pin.name.startsWith('clone:')) return undefined
  const name = pin.name.slice('clone:'.length)
  return isShardId(name) ? name : undefined
}

/** `pins` with the files of pin `name` changed; a pin without files is gone. */
export function withPin(
  pins: readonly Pin[],
  name: string,
  change: (files: readonly FileName[]) => readonly FileName[],
): readonly Pin[] {
  const others = pins.filter((pin) => pin.name !== name)
  const files = change(pins.find((pin) => pin.name === name)?.files ?? [])
  return files.length === 0 ? others : [...others, { name, files }]
}

/**
 * A change of a pin that adds `names`. What is in it already stays: of two who would make a shard of one name, one of
 * them asleep perhaps, neither knows what the other has pinned for it.
 */
export function withFiles(names: readonly FileName[]): (files: readonly FileName[]) => readonly FileName[] {
  return (files) => [...new Set([...files, ...names])]
}

/** A change that ends a pin. */
export function withoutFiles(): readonly FileName[] {
  return []
}

/** Changes pin `name` in the head of `shard`, which somebody else may own. A shard that is gone has no pins to change. */
export async function changePin(
  heads: HeadStore,
  shard: ShardId,
  name: string,
  change: (files: readonly FileName[]) => readonly FileName[],
): Promise<void> {
  for (;;) {
    const head = await heads.read(shard)
    if (head === undefined) return
    const content = decodeHead(head.content, `head of ${shard}`)
    const pins = withPin(content.pins, name, change)
    try {
      await heads.compareAndSet(shard, head.version, encodeHead({ ...content, pins }))
      return
    } catch (error) {
      // Changing a pin to the same files twice does no harm: whatever became of the first attempt, try again.
      if (!isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) throw error
    }
  }
}
