/** A head in memory that keeps the state of one journal. */

import { copyOf } from '../kernel/bytes.ts'
import type { JournalStateKeeper } from '../journal/journal.ts'

/** For tests of a journal that has no shard. */
export class MemoryStateKeeper implements JournalStateKeeper {
  state: Uint8Array | undefined = undefined

  commit(state: Uint8Array): Promise<void> {
    this.state = copyOf(state)
    return Promise.resolve()
  }
}
