/**
 * Removing what a superseded shard has left: files that none of its successors, and nobody else, refers to any more.
 *
 * Nobody owns such a shard, so nobody removes its files as an owner does. Its head stays, small: it says for ever that
 * others have taken its place.
 */

import { VarveError, isCode } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import { byOwner, ownerOf } from './file-names.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent, Pin } from './head-content.ts'
import { EMPTY_EDIT_LOG, loadManifest } from './manifest.ts'
import { changePin, clonedBy, clonePin, withoutFiles } from './pins.ts'
import type { ShardPlace } from './shard.ts'
import { outcomeOf } from './succession.ts'

/** What became of the files of a superseded shard. */
export interface Reclaimed {
  /** Files that nobody referred to any more. */
  readonly removed: number
  /** Files that others still refer to: `detach` in those, and ask again. */
  readonly kept: number
}

/**
 * Removes what nobody needs of `shard`, which others have replaced. May be asked at any time, and again.
 *
 * @throws {VarveError} NOT_FOUND — there is no such shard; BUSY — it has not been replaced, or not yet
 */
export async function reclaimSuperseded(place: ShardPlace, hash: Hash, shard: ShardId): Promise<Reclaimed> {
  for (;;) {
    const head = await place.heads.read(shard)
    if (head === undefined)
      throw new VarveError('NOT_FOUND', `there is no shard ${shard}`, { details: { name: shard } })
    const content = decodeHead(head.content, `head of ${shard}`)
    const { succession } = content
    if (succession?.state !== 'sealed' || (await outcomeOf(place.heads, succession.lead)) !== 'committed') {
      throw new VarveError('BUSY', `shard ${shard} has not been replaced by others`, { details: { name: shard } })
    }
    const pins: Pin[] = []
    for (const pin of content.pins) {
      const files = await stillNeeded(pin, place, hash)
      if (files.length > 0) pins.push({ name: pin.name, files })
    }
    await letGoOfOthers(content, shard, place, hash)
    try {
      // Who pins something of this shard refers to it already, so nothing is pinned from now on that is not pinned here.
      const next = encodeHead({ ...content, ...EMPTY_EDIT_LOG, pins })
      await place.heads.compareAndSet(shard, head.version, next)
    } catch (error) {
      if (isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) continue
      throw error
    }
    // A follower's pin names files of others as well.
    const kept = new Set(pins.flatMap(({ files }) => files).filter((name) => ownerOf(name) === shard))
    const listed = await place.files.list(`${shard}.`)
    const superfluous = listed.map(({ name }) => name).filter((name) => !kept.has(name))
    await place.files.remove(superfluous)
    return { removed: superfluous.length, kept: kept.size }
  }
}

/** While its head still says whose files it saw: its successors have pins of their own. */
async function letGoOfOthers(content: HeadContent, shard: ShardId, place: ShardPlace, hash: Hash): Promise<void> {
  const { files } = await loadManifest(content, place.files, hash, `head of ${shard}`)
  for (const owner of byOwner([...files.keys()]).keys())
    if (owner !== shard) await changePin(place.heads, owner, clonePin(shard), withoutFiles)
}

/** The files of a pin that somebody may still read; all of one that is not a shard's. */
async function stillNeeded(pin: Pin, place: ShardPlace, hash: Hash): Promise<readonly FileName[]> {
  const clone = clonedBy(pin)
  if (clone === undefined) return pin.files
  const head = await place.heads.read(clone)
  if (head === undefined) return []
  const content = decodeHead(head.content, `head of ${clone}`)
  const { succession } = content
  if (succession === undefined) return pin.files
  const outcome = succession.state === 'void' ? 'void' : await outcomeOf(place.heads, succession.lead)
  if (succession.state !== 'sealed') return outcome === 'void' ? [] : pin.files
  // Its owner lets go of what it drops, and later than that: reads that have begun, checkpoints and clones still see it.
  if (outcome !== 'committed') return pin.files
  const { files } = await loadManifest(content, place.files, hash, `head of ${clone}`)
  return pin.files.filter((name) => files.has(name))
}
