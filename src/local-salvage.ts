/**
 * What a damaged directory still holds: every entry of every block, record and file that can be read by itself.
 *
 * Entries carry their seqnos, so it does not matter in which order they are met, nor what lay between them.
 */

import { isKeyColumn } from './engines/kv/key-columns.ts'
import { commonSpan, decodeView, isEmptySpan, viewedMeta, WHOLE } from './engines/kv/key-view.ts'
import { decodeOperation } from './engines/kv/operation-codec.ts'
import { decodeTableMeta } from './engines/kv/table-meta.ts'
import type { CutSpan } from './engines/kv/table-meta.ts'
import {
  KEPT_INDEX,
  compareSegments,
  parseSegmentName,
  sameOwner,
  segmentIdentity,
  segmentName,
} from './journal/segment-id.ts'
import type { SegmentId } from './journal/segment-id.ts'
import type { JournalState } from './journal/journal-state.ts'
import { inspectSegment } from './journal/segment-inspection.ts'
import type { InspectedBatch } from './journal/segment-inspection.ts'
import { copyOf } from './kernel/bytes.ts'
import type { Decoder } from './kernel/codec.ts'
import { ENTRY_DELETE, ENTRY_PUT } from './kernel/entry.ts'
import { isDamage } from './kernel/damage.ts'
import type { VarveError } from './kernel/errors.ts'
import type { JournalPosition } from './kernel/ids.ts'
import type { FileRef } from './kernel/file-ref.ts'
import type { KeyOrder } from './kernel/key-order.ts'
import { copyCut, isAfterCut } from './kernel/key-cut.ts'
import type { FileReader } from './fs/fs.ts'
import type { InspectedDirectory } from './local-inspection.ts'
import { namesIn } from './local-inspection.ts'
import { GivenUp } from './local-salvage-visitor.ts'
import type { SalvageVisitor } from './local-salvage-visitor.ts'
import { TABLE_NAME, sharedTables } from './local-shared-tables.ts'
import { RANGE_DELETE } from './memtable/entry-operation.ts'
import type { OrderedOperation } from './memtable/entry-operation.ts'
import { writerOf } from './shard/file-names.ts'
import { visitGroup } from './shard/group-codec.ts'
import type { ManifestState } from './shard/edit.ts'
import { inspectRowBlock, inspectRowTable } from './sst/row-inspection.ts'

/** What is known of the journal from elsewhere. */
export interface KnownJournal {
  /** In the newest head there is; undefined where that cannot be read: then every owner's segments count. */
  readonly state: JournalState | undefined
  /** Position that it is known to have reached. */
  readonly end: number
}

export class Salvage {
  readonly #directory: InspectedDirectory
  readonly #manifest: ManifestState | undefined
  readonly #journal: KnownJournal
  readonly #order: KeyOrder

  /**
   * @param manifest undefined where no head can be read: then every table counts that the shard itself has written
   */
  constructor(
    directory: InspectedDirectory,
    manifest: ManifestState | undefined,
    journal: KnownJournal,
    order: KeyOrder,
  ) {
    this.#journal = journal
    this.#directory = directory
    this.#manifest = manifest
    this.#order = order
  }

  /** Visits all there is. Keys and values are the visitor's. Rejects where something else than damage keeps it from reading. */
  async visit(visitor: SalvageVisitor): Promise<void> {
    const pause = (): Promise<void> =>
      visitor.pause().catch((cause: unknown) => {
        throw new GivenUp('given up', { cause })
      })
    try {
      await this.#visitAll({ ...visitor, pause })
    } catch (error) {
      throw error instanceof GivenUp ? error.cause : error
    }
  }

  async #visitAll(visitor: SalvageVisitor): Promise<void> {
    for (const { ref, view, bounds, extent } of await this.#tables()) {
      try {
        const seen = seenOnly(visitor, decodeView(view, ref.name) ?? WHOLE, this.#order)
        const file = await this.#directory.openFile(ref)
        try {
          await this.#visitTable(file, { bounds, extent }, seen)
        } finally {
          await file.close()
        }
      } catch (error) {
        visitor.loss({ file: `files/${ref.name}`, reason: reasonOf(error), ...extent })
      }
    }
    if (this.#manifest === undefined) for (const loss of await sharedTables(this.#directory)) visitor.loss(loss)
    await this.#visitJournal(visitor)
  }

  async #tables(): Promise<readonly SavedTable[]> {
    if (this.#manifest !== undefined) {
      // Key columns say nothing that their tables do not.
      const tables = [...this.#manifest.files.values()].filter(({ format }) => !isKeyColumn(format))
      return tables.map(({ ref, meta, view }) => ({ ref, view, ...keysOf(meta, view, ref.name, this.#order) }))
    }
    const listed = await this.#directory.files.list()
    return listed
      .filter(({ name }) => TABLE_NAME.test(name) && writerOf(name) === this.#directory.shard)
      .map(({ name, bytes }) => ({ ref: { name, bytes, checksum: '' }, view: NO_VIEW, ...UNKNOWN }))
  }

  async #visitTable(file: FileReader, { bounds, extent }: TableKeys, visitor: SalvageVisitor): Promise<void> {
    const path = `files/${file.ref.name}`
    const { properties, index, ranges } = await inspectRowTable(file, this.#directory.hash)
    if ('damage' in properties) visitor.loss({ file: path, reason: reasonOf(properties.damage), ...NOTHING })
    if ('damage' in ranges) {
      visitor.loss({ file: path, reason: `deletions of ranges: ${reasonOf(ranges.damage)}`, ...extent })
    } else {
      for (const { lower, upper, seqno } of ranges.found.list()) {
        visitor.tombstone({ lower: copyCut(lower), upper: copyCut(upper), seqno })
      }
    }
    if ('damage' in index) throw index.damage
    let last = bounds.keyFirst
    let damage: VarveError | undefined
    for (let number = 0; number < index.found.blockCount; number++) {
      try {
        for await (const batch of inspectRowBlock(file, index.found, number, this.#directory.hash)) {
          for (let at = 0; at < batch.count; at++) {
            const key = copyOf(batch.keys, batch.keyStarts[at], batch.keyStarts[at + 1])
            if (damage !== undefined)
              visitor.loss({ file: path, reason: reasonOf(damage), keyFirst: last, keyLast: key })
            damage = undefined
            last = key
            const start = batch.valueStarts[at] as number
            const limit = start + (batch.valueLengths[at] as number)
            const block = batch.blocks[batch.valueBlocks[at] as number] as Uint8Array
            const value = batch.kinds[at] === ENTRY_DELETE ? undefined : copyOf(block, start, limit)
            visitor.entry({ key, seqno: batch.seqnos[at] as number, value })
          }
          await visitor.pause()
        }
      } catch (error) {
        if (!isDamage(error)) throw error
        damage ??= error
      }
    }
    if (damage !== undefined) {
      visitor.loss({ file: path, reason: reasonOf(damage), keyFirst: last, keyLast: bounds.keyLast })
    }
  }

  async #visitJournal(visitor: SalvageVisitor): Promise<void> {
    const { device, journalPath, shard, hash } = this.#directory
    const ids = (await namesIn(device, journalPath)).map(parseSegmentName).filter((id) => id !== undefined)
    const from = this.#manifest?.replayFrom ?? 0
    const { state } = this.#journal
    let end: number | undefined
    for (const id of ids.sort(compareSegments)) {
      const path = `${journalPath}/${segmentName(id)}`
      const lose = (reason: string): void => visitor.loss({ file: path, reason, ...ANYWHERE })
      const endOfId = endOf(id, state)
      if (endOfId === undefined) {
        lose('it is of an owner that the head does not know, perhaps of another database')
        continue
      }
      try {
        const file = await device.open(path, 'read')
        try {
          for await (const item of inspectSegment(file, segmentIdentity(shard, id), hash)) {
            if (item.type !== 'frame') continue
            const { position, payloadBytes, batches, offset } = item.frame
            const limit = position + payloadBytes
            if (limit <= from || payloadBytes === 0 || position >= endOfId) continue
            const expected = Math.max(end ?? from, from)
            if (position > expected) lose(`writes at positions ${expected} to ${position} are missing`)
            if (batches === undefined) lose(`writes at positions ${position} to ${limit}: wrong checksum at ${offset}`)
            for (const batch of batches ?? []) if (batch.position >= from) visitBatch(batch, visitor)
            end = Math.max(end ?? 0, limit)
            await visitor.pause()
          }
        } finally {
          await file.close()
        }
      } catch (error) {
        lose(reasonOf(error))
      }
    }
    const reached = Math.max(end ?? from, from)
    if (reached < this.#journal.end) {
      const reason = `writes at positions ${reached} to ${this.#journal.end} are missing at the end`
      visitor.loss({ file: journalPath, reason, ...ANYWHERE })
    }
  }
}

/**
 * Where a segment ends. Of an owner that was replaced only what its successor found counts: the rest was never acknowledged, and
 * others took its positions. Undefined where the owner is not known: segments of another database fit among ours but for that.
 */
function endOf(id: SegmentId, state: JournalState | undefined): number | undefined {
  if (state === undefined) return Infinity
  const listed = state.segments.find((segment) => compareSegments(segment.id, id) === 0)
  if (listed !== undefined) return listed.end
  // A copy that was not to be the log.
  if (id.index === KEPT_INDEX) return 0
  if (sameOwner(id, state)) return Infinity
  return state.segments.some((segment) => sameOwner(id, segment.id)) ? 0 : undefined
}

interface KeyBounds {
  readonly keyFirst: Uint8Array | undefined
  readonly keyLast: Uint8Array | undefined
}

interface TableKeys {
  /** Of its entries. */
  readonly bounds: KeyBounds
  /** With what its range tombstones reach. */
  readonly extent: KeyBounds
}

interface SavedTable extends TableKeys {
  readonly ref: FileRef
  /** What the shard sees of it, as the manifest has it. */
  readonly view: Uint8Array
}

/** Of a table that is seen whole. */
const NO_VIEW = new Uint8Array(0)
const ANYWHERE: KeyBounds = Object.freeze({ keyFirst: undefined, keyLast: undefined })
const UNKNOWN: TableKeys = Object.freeze({ bounds: ANYWHERE, extent: ANYWHERE })
/** Properties are only figures. */
const NOTHING: KeyBounds = Object.freeze({ keyFirst: new Uint8Array(0), keyLast: new Uint8Array(0) })

/** Shows `visitor` what is within `view`: the rest of a table is another shard's. */
function seenOnly(visitor: SalvageVisitor, view: CutSpan, order: KeyOrder): SalvageVisitor {
  return {
    ...visitor,
    entry(entry) {
      const { key } = entry
      const isBefore = !isAfterCut(order, key, 0, key.length, view.lower)
      if (!isBefore && !isAfterCut(order, key, 0, key.length, view.upper)) visitor.entry(entry)
    },
    tombstone(tombstone) {
      const span = commonSpan(tombstone, view, order)
      if (!isEmptySpan(span, order)) visitor.tombstone({ ...span, seqno: tombstone.seqno })
    },
  }
}

function keysOf(meta: Uint8Array, view: Uint8Array, file: string, order: KeyOrder): TableKeys {
  try {
    const seen = viewedMeta(decodeTableMeta(meta, file), decodeView(view, file) ?? WHOLE, order)
    const { keyFirst, keyLast, lower, upper } = seen
    // Before and after all keys there is none to name.
    const isBounded = lower.side !== -2 && upper.side !== 2
    const extent = isBounded ? { keyFirst: lower.key, keyLast: upper.key } : ANYWHERE
    return { bounds: { keyFirst, keyLast }, extent }
  } catch {
    return UNKNOWN
  }
}

function visitBatch({ payload, position }: InspectedBatch, visitor: SalvageVisitor): void {
  const decode = (decoder: Decoder): OrderedOperation => decodeOperation(decoder)
  visitGroup(payload, position as JournalPosition, decode, (operation, seqno) => {
    if (operation.kind === RANGE_DELETE) {
      visitor.tombstone({ lower: copyCut(operation.lower), upper: copyCut(operation.upper), seqno })
      return
    }
    const value = operation.kind === ENTRY_PUT ? copyOf(operation.value) : undefined
    visitor.entry({ key: copyOf(operation.key), seqno, value })
  })
}

/** What went wrong, of the errors that damage makes; others are thrown on. */
function reasonOf(error: unknown): string {
  if (isDamage(error)) return error.message
  throw error
}
