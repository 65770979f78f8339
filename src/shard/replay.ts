/**
 * Replay: from the journal back into memtables.
 *
 * Where the engine can load a memtable, operations are only taken while the journal is read, and put in order at the end:
 * reading gives the event loop its turns, and nobody reads a memtable before all of them have everything.
 */

import type { Clock } from '../kernel/clock.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import type { JournalReader } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { readGroup } from './group-codec.ts'
import type { Engine } from './shard.ts'
import type { TableLoad } from './table-load.ts'
import type { TableStack } from './table-stack.ts'

/** What replay reads, and with what. */
export interface ReplaySource<Operation, Table extends Memtable<Operation>, Shape> {
  readonly journal: JournalReader
  readonly engine: Engine<Operation, Table, Shape>
  readonly clock: Clock
  /** Somebody reads the tables already: what was applied to them stays. Default: nobody does. */
  readonly shown?: boolean
}

/** What was found: the last operation, and where the journal ends. */
export interface Replayed {
  readonly seqnoLast: Seqno
  readonly end: JournalPosition
}

type Take = TableLoad['take']

/**
 * Applies everything from `from` on to the active table of `stack`, freezing it at `memtableBytes`.
 *
 * @param seqnoBefore the last operation before `from`; the journal must go on right after it
 * @throws {VarveError} JOURNAL_CORRUPT — also where seqnos have a gap; INCOMPATIBLE
 */
export async function replayInto<Operation, Table extends Memtable<Operation>, Shape>(
  { journal, engine, clock, shown = false }: ReplaySource<Operation, Table, Shape>,
  stack: TableStack<Table>,
  from: JournalPosition,
  seqnoBefore: Seqno,
  memtableBytes: number,
): Promise<Replayed> {
  let seqnoLast = seqnoBefore
  let loads: TableLoad[] = []
  let take = begin()
  const visit = (payload: Uint8Array, position: JournalPosition): void => {
    seqnoLast = readGroup(payload, position, seqnoLast, take)
    if (stack.active.bytes >= memtableBytes) {
      stack.freeze(engine.memtable(), (position + payload.length) as JournalPosition, seqnoLast)
      take = begin()
    }
  }
  const again = (): void => {
    for (const table of stack.rewind(seqnoBefore, engine.memtable())) table.release()
    seqnoLast = seqnoBefore
    loads = []
    take = begin()
  }
  const end = await journal.replay(from, visit, shown ? undefined : again)
  for (const load of loads) while (!load.finish()) await clock.turn()
  return { seqnoLast, end }

  /** How operations get into the active table. */
  function begin(): Take {
    const table = stack.active
    // One that has operations has readers as well.
    const load = table.count === 0 ? engine.load?.(table) : undefined
    if (load === undefined) {
      return (decoder, seqno, position) => table.apply(engine.decode(decoder), seqno, position)
    }
    loads.push(load)
    return (decoder, seqno, position) => load.take(decoder, seqno, position)
  }
}
