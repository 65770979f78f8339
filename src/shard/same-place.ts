/**
 * Whether shards that are to be replaced together are in one place, and of one kind.
 *
 * The successor's head goes to the place of the first, and says what that one's head says. Shards of two directories may
 * even have the same names: a head that named the files of the other directory would be found out at the next opening only,
 * when both are superseded already.
 */

import { VarveError, isCode } from '../kernel/errors.ts'
import { decodeHead } from './head-content.ts'
import { ownerOf } from './file-names.ts'
import type { HandOver, ShardPlace } from './shard.ts'

/**
 * @param parents the place is that of the first
 * @throws {VarveError} NOT_FOUND — a shard is elsewhere; INCOMPATIBLE — one has another engine or order
 */
export async function requireSamePlace(parents: readonly HandOver[], place: ShardPlace): Promise<void> {
  const [first, ...others] = parents as [HandOver, ...HandOver[]]
  for (const other of others) {
    requireSameKind(first, other)
    if (!(await hasHead(other, place)) || !(await hasFiles(other, place))) throw elsewhere(first, other)
  }
}

/** Whoever owns it has made that head: no other place has one with its nonce. */
async function hasHead({ shard, head }: HandOver, { heads }: ShardPlace): Promise<boolean> {
  const found = await heads.read(shard)
  if (found === undefined) return false
  const { epoch, owner } = decodeHead(found.content, `head of ${shard}`)
  // A later epoch is another owner's in the same place: sealing will say so.
  return epoch > head.epoch || (epoch === head.epoch && owner === head.owner)
}

/** Heads may be in one place where files are not. One of its own tells for all. */
async function hasFiles({ shard, manifest }: HandOver, { files }: ShardPlace): Promise<boolean> {
  const own = [...manifest.files.values()].find(({ ref }) => ownerOf(ref.name) === shard)
  if (own === undefined) return true
  try {
    await (await files.open(own.ref)).close()
    return true
  } catch (error) {
    if (isCode(error, 'FILE_MISSING')) return false
    throw error
  }
}

function requireSameKind(first: HandOver, other: HandOver): void {
  const kinds = [first, other].map(({ head: { engine, identity } }): Record<string, string> => ({
    engine: `${engine.name} version ${engine.version}`,
    ...identity,
  }))
  const [expected = {}, found = {}] = kinds
  for (const what of new Set(kinds.flatMap(Object.keys))) {
    if (found[what] === expected[what]) continue
    throw new VarveError(
      'INCOMPATIBLE',
      `shard ${other.shard} has ${what} ${found[what] ?? 'none'}, shard ${first.shard} ${expected[what] ?? 'none'}; nothing was changed`,
      { details: { what, found: found[what], expected: expected[what] } },
    )
  }
}

function elsewhere(first: HandOver, other: HandOver): VarveError {
  const remedy = 'shards are merged where they have the same heads and files; nothing was changed'
  return new VarveError('NOT_FOUND', `shard ${other.shard} is not in the place of shard ${first.shard}: ${remedy}`, {
    details: { name: other.shard },
  })
}
