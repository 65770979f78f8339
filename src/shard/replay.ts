/** Replay: from the journal back into memtables. */

import type { Decoder } from '../kernel/codec.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import type { JournalReader } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { failGroup, firstSeqno, visitGroup } from './group-codec.ts'
import type { Engine } from './shard.ts'
import type { TableStack } from './table-stack.ts'

/** What was found: the last operation, and where the journal ends. */
export interface Replayed {
  readonly seqnoLast: Seqno
  readonly end: JournalPosition
}

/**
 * Applies everything from `from` on to the active table of `stack`, freezing it at `memtableBytes`.
 *
 * @param seqnoBefore the last operation before `from`; the journal must go on right after it
 * @throws {VarveError} JOURNAL_CORRUPT — also where seqnos have a gap; INCOMPATIBLE
 */
export async function replayInto<Operation, Table extends Memtable<Operation>, Shape>(
  journal: JournalReader,
  engine: Engine<Operation, Table, Shape>,
  stack: TableStack<Table>,
  from: JournalPosition,
  seqnoBefore: Seqno,
  memtableBytes: number,
): Promise<Replayed> {
  let seqnoLast = seqnoBefore
  const decode = (decoder: Decoder): Operation => engine.decode(decoder)
  const apply = (operation: Operation, seqno: Seqno, position: JournalPosition): void =>
    stack.active.apply(operation, seqno, position)
  const end = await journal.replay(from, (payload, position) => {
    const first = firstSeqno(payload, position)
    if (first !== seqnoLast + 1) failGroup(position, `it starts with seqno ${first}, expected ${seqnoLast + 1}`)
    seqnoLast = visitGroup(payload, position, decode, apply)
    if (stack.active.bytes >= memtableBytes) {
      stack.freeze(engine.memtable(), (position + payload.length) as JournalPosition, seqnoLast)
    }
  })
  return { seqnoLast, end }
}
