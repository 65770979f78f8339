/** Operations on their way from the journal into a memtable that is loaded: offsets in place of objects and views. */

import type { Decoder } from '../../kernel/codec.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import type { JournalPosition, Seqno } from '../../kernel/ids.ts'
import { decodeCut } from '../../kernel/key-cut.ts'
import { RANGE_DELETE } from '../../memtable/entry-operation.ts'
import type { OrderedLoad } from '../../memtable/ordered-memtable.ts'
import type { TableLoad } from '../../shard/table-load.ts'

export class OperationLoad implements TableLoad {
  readonly #table: OrderedLoad

  constructor(table: OrderedLoad) {
    this.#table = table
  }

  /** What `decodeOperation` reads. */
  take(from: Decoder, seqno: Seqno, _position: JournalPosition): void {
    const kind = from.u8()
    if (kind === ENTRY_PUT || kind === ENTRY_DELETE) {
      const keyStart = from.skipBytes()
      const keyLimit = from.at
      const valueStart = kind === ENTRY_PUT ? from.skipBytes() : keyLimit
      this.#table.entry(kind, from.source, keyStart, keyLimit, valueStart, from.at, seqno)
    } else if (kind === RANGE_DELETE) this.#table.deleteRange(decodeCut(from), decodeCut(from), seqno)
    else from.fail(`unknown operation ${kind}`)
  }

  finish(): boolean {
    return this.#table.finish()
  }
}
