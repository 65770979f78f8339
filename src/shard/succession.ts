/**
 * A change of arrangement: some shards take the place of others, all at once, whoever crashes when.
 *
 *      parents stop taking writes, and put everything into files
 *      pins            on the files that successors will refer to
 *      heads           of the successors, `forming`: nobody can open them
 *      seals           on the parents: nobody can open them without looking at the lead
 *      ── the lead, the first of the successors, is not forming any more ──       the one commit
 *      parents end
 *
 * Before the commit, whoever opens a parent makes the lead `void` first, by compare-and-set: what was begun can never be
 * decided then, and the parent goes on. After it, parents are refused with SUPERSEDED, for ever. An owner that was replaced
 * while it was at this cannot seal, for its epoch is over; one that has sealed cannot commit, for the lead is void.
 *
 * The lead's head is what a transaction record is in Percolator (Peng and Dabek 2010): who comes across a lock looks at the
 * primary, and decides it where nobody has.
 */

import { VarveError, isCode } from '../kernel/errors.ts'
import { EPOCH_ZERO } from '../kernel/ids.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import type { HeadStore } from '../fs/fs.ts'
import { requireAbsent, writeHead } from './checkpoint.ts'
import type { ManifestState } from './edit.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'
import { EMPTY_EDIT_LOG } from './manifest.ts'
import { byOwner } from './file-names.ts'
import { changePin, clonePin, withFiles, withoutFiles } from './pins.ts'
import { requireSamePlace } from './same-place.ts'
import type { HandOver, ShardPlace, VersionFile } from './shard.ts'

/** A shard that takes the place of others, or of a part of them. */
export interface Successor {
  /** Its id: never used before. */
  readonly shard: ShardId
  /** Files of the parents, as this shard sees them; where several have one, in one way. */
  readonly files: readonly VersionFile[]
}

/**
 * Puts `successors` in the place of `parents`, which have handed over and end, or go on where it fails.
 *
 * @param parents at least one
 * @param successors at least one
 * @throws {VarveError} EXISTS — a successor does; NOT_FOUND, INCOMPATIBLE — a parent is elsewhere, or of another kind; what
 *   the stores throw: nothing has changed, and the parents go on
 * @throws {VarveError} FENCED — a parent has another owner: it is as it was
 * @throws {VarveError} OUTCOME_UNKNOWN — the parents have ended; open one to find out
 */
export async function succeed(
  parents: readonly HandOver[],
  successors: readonly Successor[],
  place: ShardPlace,
): Promise<void> {
  const { head, manifest: origin } = parents[0] as HandOver
  const [ids, names] = [parents.map(({ shard }) => shard), successors.map(({ shard }) => shard)]
  const lead = names[0] as ShardId
  const seqnoLast = parents.reduce(
    (last, { manifest }) => (manifest.seqnoLast > last ? manifest.seqnoLast : last),
    origin.seqnoLast,
  )
  try {
    await requireSamePlace(parents, place)
    for (const shard of names) await requireAbsent(place, shard)
  } catch (error) {
    for (const parent of parents) await parent.resume([])
    throw error
  }
  // Successors whose heads are ours: what is pinned for one that somebody else has made meanwhile is not ours to drop.
  const made: Successor[] = []
  let sealing = false
  try {
    for (const successor of successors) {
      for (const parent of parents) await parent.pin(successor.shard, ownedBy(parent.shard, successor))
      await pinOthers(successor, parents, place.heads)
    }
    const succession = { state: 'forming', lead, parents: ids } as const
    for (const successor of successors) {
      const { shard, files } = successor
      const manifest: ManifestState = {
        ...origin,
        seqnoLast,
        files: new Map(files.map((file) => [file.ref.name, file])),
      }
      await writeHead({ head, manifest }, place, shard, EPOCH_ZERO, succession)
      made.push(successor)
    }
    // An owner that opened one of the others in between took a pin without a head for one left behind.
    for (const successor of successors) await pinOthers(successor, parents, place.heads)
    sealing = true
    for (const parent of parents) await parent.seal(lead, names)
    if ((await decide(place.heads, lead, 'commit')) === 'void')
      throw new VarveError('FENCED', 'another process opened a shard that was being replaced')
  } catch (error) {
    const given = made.length === 0 ? 'void' : await giveUp(place.heads, lead)
    // Without a seal nobody looks at the lead, and what became of it does not matter.
    const outcome = given === 'unknown' && !sealing ? 'void' : given
    if (outcome === 'unknown') {
      const what = `whether ${names.join(', ')} have replaced ${ids.join(', ')}`
      const reason = new VarveError('OUTCOME_UNKNOWN', `${what} is not known`, {
        cause: error,
        details: { operation: 'succession' },
      })
      for (const parent of parents) parent.end(reason)
      throw reason
    }
    if (outcome === 'void') {
      const dropped = given === 'void' ? made : []
      for (const parent of parents) await parent.resume(dropped.map(({ shard }) => shard))
      for (const successor of dropped) await pinOthers(successor, parents, place.heads, 'drop').catch(() => undefined)
      throw error
    }
  }
  for (const parent of parents) parent.end(superseded(parent.shard, names))
}

function ownedBy(owner: ShardId, { files }: Successor): readonly FileName[] {
  return byOwner(files.map(({ ref }) => ref.name)).get(owner) ?? []
}

/** Pins what `successor` refers to of shards that are not among `parents`, or lets go of it. */
async function pinOthers(
  { shard, files }: Successor,
  parents: readonly HandOver[],
  heads: HeadStore,
  what: 'keep' | 'drop' = 'keep',
): Promise<void> {
  for (const [owner, names] of byOwner(files.map(({ ref }) => ref.name))) {
    if (parents.some((parent) => parent.shard === owner)) continue
    await changePin(heads, owner, clonePin(shard), what === 'keep' ? withFiles(names) : withoutFiles)
  }
}

/** What a shard that has been replaced says. */
export function superseded(shard: ShardId, successors: readonly ShardId[]): VarveError {
  return new VarveError('SUPERSEDED', `shard ${shard} was replaced by ${successors.join(', ')}`, {
    details: { shard, successors },
  })
}

/** Whether a change that `lead` leads is still open, was committed, or was given up. */
export async function outcomeOf(heads: HeadStore, lead: ShardId): Promise<'forming' | 'committed' | 'void'> {
  const head = await heads.read(lead)
  if (head === undefined) return 'void'
  const { succession } = decodeHead(head.content, `head of ${lead}`)
  if (succession?.state === 'void') return 'void'
  return succession?.state === 'forming' && succession.lead === lead ? 'forming' : 'committed'
}

/**
 * Decides the change that `lead` leads, where it is not decided yet.
 *
 * @param like of the same engine and journal: what a void head is made of where the lead has none
 * @returns what it was decided to be, now or before
 */
export async function decide(
  heads: HeadStore,
  lead: ShardId,
  decision: 'commit' | 'void',
  like?: HeadContent,
): Promise<'committed' | 'void'> {
  for (;;) {
    const head = await heads.read(lead)
    const found = head === undefined ? like : decodeHead(head.content, `head of ${lead}`)
    if (found === undefined || found.succession?.state === 'void') return 'void'
    const isForming = found.succession?.state === 'forming' && found.succession.lead === lead
    if (head !== undefined && !isForming) return 'committed'
    const next = decision === 'commit' ? { ...found, succession: undefined } : voidOf(found)
    try {
      await heads.compareAndSet(lead, head?.version, encodeHead(next))
      return decision === 'commit' ? 'committed' : 'void'
    } catch (error) {
      if (!isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) throw error
    }
  }
}

function voidOf(content: HeadContent): HeadContent {
  const { journal, engine, identity } = content
  const empty = { epoch: EPOCH_ZERO, owner: '', commit: 0, journalState: undefined, ...EMPTY_EDIT_LOG, pins: [] }
  return { ...empty, journal, engine, identity, succession: { state: 'void' } }
}

/** As `decide`, for who gives up; never throws. */
export async function giveUp(heads: HeadStore, lead: ShardId): Promise<'committed' | 'void' | 'unknown'> {
  try {
    return await decide(heads, lead, 'void')
  } catch {
    return 'unknown'
  }
}
