/**
 * Splitting a shard at a key, merging two that follow each other: by reference. What is written is heads; tables stay where
 * they are, and each shard sees of a table what is on its side.
 *
 *      before     main    ├──── table ────┤├── table ──┤
 *                                     at ▼
 *      after      left    ├──── table ────·····          sees of the table in the middle what is before the key
 *                 right              ·····┤├── table ──┤ and this one what is not
 *
 * Tables keep their names, and with them the shard that owns them: a pin in its head keeps them for the others. `detach`
 * rewrites what belongs to others, so that nobody has to keep anything; compaction does, too, sooner or later.
 */

import { compareCuts, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { ShardId } from '../../kernel/ids.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import { ownerOf } from '../../shard/file-names.ts'
import type { HandOver, Rewrite, Shard, ShardPlace, Underway, VersionFile } from '../../shard/shard.ts'
import { succeed } from '../../shard/succession.ts'
import type { Successor } from '../../shard/succession.ts'
import type { RewriteParameters } from './compaction.ts'
import { isKeyColumn, decodeColumnMeta, withColumns } from './key-columns.ts'
import { commonSpan, decodeView, encodeView, isEmptySpan, isWithinSpan, viewedMeta, WHOLE } from './key-view.ts'
import type { KvTable, Levels } from './levels.ts'
import { decodeTableMeta } from './table-meta.ts'
import type { CutSpan } from './table-meta.ts'

const NO_VIEW = new Uint8Array(0)

type GenericShard = Shard<OrderedOperation, OrderedMemtable, Levels>

/** What a change of arrangement is made of. */
export interface Arranged {
  readonly shard: GenericShard
  readonly order: KeyOrder
  readonly place: ShardPlace
}

/** As `KvShard.split`. */
export async function splitShard(
  { shard, order, place }: Arranged,
  at: Uint8Array,
  left: ShardId,
  right: ShardId,
): Promise<void> {
  const cut = cutBefore(new Uint8Array(at))
  if (left === right) throw new RangeError('the two shards must have two names')
  const handOver = await shard.handOver()
  const files = [...handOver.manifest.files.values()]
  const part = (name: ShardId, span: CutSpan): Successor => ({ shard: name, files: within(files, span, order) })
  let successors: readonly Successor[]
  try {
    successors = [part(left, { ...WHOLE, upper: cut }), part(right, { ...WHOLE, lower: cut })]
  } catch (error) {
    // An order of one's own may not know what to do with the key.
    await handOver.resume([])
    throw error
  }
  await succeed([handOver], successors, place)
}

/** As `KvShard.merge`. */
export async function mergeShards(left: Arranged, right: GenericShard, at: Uint8Array, merged: ShardId): Promise<void> {
  const { shard, order, place } = left
  const cut = cutBefore(new Uint8Array(at))
  const [before, after] = [
    { ...WHOLE, upper: cut },
    { ...WHOLE, lower: cut },
  ]
  for (;;) {
    // What a shard sees of a shared table reaches to where that was split: it may have no keys up to there.
    await rewriteTables(shard, ({ file, view }) => view !== undefined && isBeyond(file, before, order))
    await rewriteTables(right, ({ file, view }) => view !== undefined && isBeyond(file, after, order))
    // What the two see of one table differently, so that one description would not do for both.
    await rewriteTables(right, ({ file }) => {
      const other = shard.view.version.shape.byName.get(file.ref.name)
      return other !== undefined && joined(other.file, file, cut, order) === undefined
    })
    const handOvers: HandOver[] = []
    let files: readonly VersionFile[] | undefined
    try {
      for (const each of [shard, right]) handOvers.push(await each.handOver())
      const [first = [], second = []] = handOvers.map(({ manifest }) => [...manifest.files.values()])
      requireSide(shard.id, first, before, order)
      requireSide(right.id, second, after, order)
      files = joinedAll(within(first, before, order), within(second, after, order), cut, order)
    } finally {
      if (files === undefined) for (const each of handOvers) await each.resume([])
    }
    // Undefined: a table was moved meanwhile, by one of the two only.
    if (files !== undefined) return succeed(handOvers, [{ shard: merged, files }], place)
  }
}

/** Rewrites what other shards own, or see in part. */
export function detachShard(shard: GenericShard): Promise<void> {
  return rewriteTables(shard, ({ file, view }) => view !== undefined || ownerOf(file.ref.name) !== shard.id)
}

/** Rewrites every table for which `chosen`, where it is. */
async function rewriteTables(shard: GenericShard, chosen: (table: KvTable) => boolean): Promise<void> {
  for (let found = true; found;) {
    found = false
    await shard.apply((underway: Underway): Rewrite | 'blocked' | undefined => {
      const { shape } = shard.view.version
      const tables = [...shape.byName.values()].filter(chosen)
      if (tables.length === 0) return undefined
      found = true
      const table = tables.find(({ file }) => !underway.running.has(file.ref.name))
      if (table === undefined) return 'blocked'
      const { ref, group } = table.file
      const parameters: RewriteParameters = { bottom: false }
      return { type: 'rewrite', inputs: withColumns([ref.name], shape), group, parameters }
    })
  }
}

/** `files` as a shard sees them that has only what is in `span`: those outside left out, key columns with their tables. */
function within(files: readonly VersionFile[], span: CutSpan, order: KeyOrder): readonly VersionFile[] {
  const tables = files.filter(({ format }) => !isKeyColumn(format))
  const seen = tables.flatMap((file) => seenWithin(file, span, order) ?? [])
  // A column has entries of the whole table, and nobody to say which are not to be read.
  const whole = new Set(seen.filter(({ view }) => view.length === 0).map(({ ref }) => ref.name))
  const columns = files.filter(
    ({ ref, format, meta }) => isKeyColumn(format) && whole.has(decodeColumnMeta(meta, ref.name).table),
  )
  return [...seen, ...columns]
}

function seenWithin(file: VersionFile, span: CutSpan, order: KeyOrder): VersionFile | undefined {
  const view = viewOf(file)
  const bounds = viewedMeta(decodeTableMeta(file.meta, file.ref.name), view, order)
  if (isWithinSpan(bounds, span, order)) return file
  const narrowed = commonSpan(view, span, order)
  return isEmptySpan(commonSpan(bounds, span, order), order) ? undefined : { ...file, view: encodeView(narrowed) }
}

/** The files of both; undefined: there is one that they see in two ways. */
function joinedAll(
  left: readonly VersionFile[],
  right: readonly VersionFile[],
  cut: KeyCut,
  order: KeyOrder,
): readonly VersionFile[] | undefined {
  const files = new Map(left.map((file) => [file.ref.name, file]))
  for (const file of right) {
    const other = files.get(file.ref.name)
    const both = other === undefined ? file : joined(other, file, cut, order)
    if (both === undefined) return undefined
    files.set(file.ref.name, both)
  }
  return [...files.values()]
}

/** One file that two shards see, as one shard sees it; undefined: that is not one stretch, or not one level. */
function joined(left: VersionFile, right: VersionFile, cut: KeyCut, order: KeyOrder): VersionFile | undefined {
  const [before, after] = [viewOf(left), viewOf(right)]
  const meets = compareCuts(order, before.upper, cut) >= 0 && compareCuts(order, after.lower, cut) <= 0
  if (left.group !== right.group || !meets) return undefined
  const span = { lower: before.lower, upper: after.upper }
  return { ...left, view: span.lower.side === -2 && span.upper.side === 2 ? NO_VIEW : encodeView(span) }
}

/** @throws {RangeError} the shard has entries outside of `span` */
function requireSide(shard: ShardId, files: readonly VersionFile[], span: CutSpan, order: KeyOrder): void {
  if (files.some((file) => !isKeyColumn(file.format) && isBeyond(file, span, order)))
    throw new RangeError(`shard ${shard} has keys on the other side of where it is to be merged`)
}

/** Whether a shard sees of a table what is outside of `span`, as far as its bounds tell. */
function isBeyond(file: VersionFile, span: CutSpan, order: KeyOrder): boolean {
  const { keyFirst, keyLast, entryCount } = decodeTableMeta(file.meta, file.ref.name)
  const entries = commonSpan({ lower: cutBefore(keyFirst), upper: cutAfter(keyLast) }, viewOf(file), order)
  return entryCount > 0 && !isEmptySpan(entries, order) && !isWithinSpan(entries, span, order)
}

function viewOf(file: VersionFile): CutSpan {
  return decodeView(file.view, file.ref.name) ?? WHOLE
}
