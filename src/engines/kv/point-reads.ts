/**
 * Reading single keys: synchronous while the bytes are at hand, waiting only for what is lacking.
 *
 * The fast path allocates the value and nothing else: one `Found` and one `BlockFetch` serve all lookups that end within
 * the call. A lookup that has to wait gets its own, and pins the view it reads: the files it needs stay.
 */

import { BufferView } from '../../kernel/buffer-view.ts'
import { PENDING } from '../../kernel/cursor.ts'
import { ENTRY_PUT } from '../../kernel/entry.ts'
import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import { emptyFound } from '../../kernel/found.ts'
import type { Found } from '../../kernel/found.ts'
import { hashKey } from '../../kernel/hash.ts'
import type { Seqno } from '../../kernel/ids.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import type { Shard } from '../../shard/shard.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import type { CopyOut } from './copy-out.ts'
import { EntryCache } from './entry-cache.ts'
import type { EntryCacheStatistics } from './entry-cache.ts'
import type { KvParts } from './kv-parts.ts'
import type { Levels } from './levels.ts'
import { findInMemtables, findInTables, lookup } from './lookup.ts'
import type { KvView } from './lookup.ts'
import type { SyncFill } from './sync-fill.ts'

const EMPTY: Uint8Array = new Uint8Array(0)
// Looking at the clock costs 50 ns. At 1–80 µs a get this is at most 5 ms.
export const KEYS_UNPACED_MAX = 64

export class PointReads {
  readonly #shard: Shard<OrderedOperation, OrderedMemtable, Levels>
  readonly #order: KeyOrder
  readonly #copies: CopyOut
  readonly #fill: SyncFill
  readonly #entries: EntryCache
  readonly #found: Found = emptyFound()
  readonly #fetch = new BlockFetch()

  constructor(parts: Pick<KvParts, 'shard' | 'order' | 'cache'>, copies: CopyOut, fill: SyncFill) {
    this.#shard = parts.shard
    this.#order = parts.order
    this.#entries = new EntryCache(parts.cache)
    this.#copies = copies
    this.#fill = fill
  }

  get statistics(): EntryCacheStatistics {
    return this.#entries.statistics
  }

  /** Lets go of memory. */
  close(): void {
    this.#entries.close()
  }

  /**
   * Whether `key` has a value at `seqno`: PENDING where that takes I/O which may wait. `value()` gives it until the next
   * call.
   */
  find(key: Uint8Array, seqno: Seqno): boolean | typeof PENDING {
    return this.#find(this.#shard.view, key, seqno)
  }

  #find(view: KvView, key: Uint8Array, seqno: Seqno): boolean | typeof PENDING {
    const found = this.#lookup(view, key, seqno)
    if (found === PENDING) return this.#findNow(view, key, seqno)
    return found && this.#found.kind === ENTRY_PUT
  }

  /** Of memtables and tables, as `lookup`; entries that are read often come from their copies. */
  #lookup(view: KvView, key: Uint8Array, seqno: Seqno): boolean | typeof PENDING {
    const found = this.#found
    if (findInMemtables(view, key, seqno, found)) return true
    const { version } = view
    const keyHash = hashKey(key, 0, key.length, 0)
    if (this.#entries.find(version, key, keyHash, seqno, found)) return true
    const answer = findInTables(view, key, keyHash, seqno, this.#order, found, this.#fetch)
    if (answer === true) this.#entries.offer(version, key, keyHash, seqno, found)
    return answer
  }

  /** Twin of `find`, which reads what is lacking. @throws {VarveError} WOULD_BLOCK */
  findSync(key: Uint8Array, seqno: Seqno, mayBlock: boolean): boolean {
    try {
      for (;;) {
        const found = this.#lookup(this.#shard.view, key, seqno)
        if (found !== PENDING) return found && this.#found.kind === ENTRY_PUT
        if (this.#fetch.fillNow()) continue
        if (mayBlock) this.#fetch.fillSync()
        else {
          throw new VarveError('WOULD_BLOCK', 'the key is not in memory: use get(), or allow getSync() to block')
        }
      }
    } finally {
      this.#fetch.clear()
    }
  }

  /** Goes on with what is in memory, though not in the cache; or may be read at once, which `SyncFill` decides. */
  #findNow(view: KvView, key: Uint8Array, seqno: Seqno): boolean | typeof PENDING {
    try {
      while (this.#fetch.fillNow() || this.#fill.try(this.#fetch)) {
        const found = this.#lookup(view, key, seqno)
        if (found !== PENDING) return found && this.#found.kind === ENTRY_PUT
      }
      return PENDING
    } finally {
      this.#fetch.clear()
    }
  }

  /** The value that was found last, for the caller to keep: a copy, but for a block that nobody else has. */
  value(): Uint8Array {
    const { block, valueStart, valueLength, own } = this.#found
    if (!own) return this.#copies.copy(block, valueStart, valueLength)
    this.#found.own = false
    return new BufferView(block.buffer, block.byteOffset + valueStart, valueLength)
  }

  /**
   * The values of `keys`, in their order, as of the call; `keys` are borrowed for the call.
   *
   * @param pace asked now and then; what it gives is awaited, so that many keys do not hold the event loop
   */
  async many(
    keys: readonly Uint8Array[],
    seqno: Seqno,
    signal: AbortSignal | undefined,
    pace: () => Promise<void> | undefined,
  ): Promise<(Uint8Array | undefined)[]> {
    const values: (Uint8Array | undefined)[] = []
    const waiting: Promise<void>[] = []
    const { view } = this.#shard
    let own = keys
    let pinned: KvView | undefined
    try {
      for (let index = 0; index < keys.length; index++) {
        const turn = index % KEYS_UNPACED_MAX === 0 ? pace() : undefined
        if (turn !== undefined) {
          pinned ??= this.#shard.pin()
          if (own === keys) own = keys.map((key, at) => (at < index ? EMPTY : new Uint8Array(key)))
          await turn
          throwIfAborted(signal)
        }
        const key = own[index] as Uint8Array
        const found = this.#find(view, key, seqno)
        values.push(found === true ? this.value() : undefined)
        if (found !== PENDING) continue
        pinned ??= this.#shard.pin()
        const reading = this.#waitIn(view, new Uint8Array(key), seqno, signal)
        const placed = reading.then((value) => void (values[index] = value))
        // Told below, perhaps some turns after it has failed.
        placed.catch(() => undefined)
        waiting.push(placed)
      }
      await Promise.all(waiting)
      return values
    } finally {
      // Where one has failed, others still read.
      await Promise.allSettled(waiting)
      if (pinned !== undefined) this.#shard.unpin(pinned)
    }
  }

  /** The value of `key`, waiting for what is lacking. Reads the view of the call; `key` is borrowed for the call. */
  wait(key: Uint8Array, seqno: Seqno, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    return this.#wait(new Uint8Array(key), seqno, signal)
  }

  async #wait(key: Uint8Array, seqno: Seqno, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const view = this.#shard.pin()
    try {
      return await this.#waitIn(view, key, seqno, signal)
    } finally {
      this.#shard.unpin(view)
    }
  }

  async #waitIn(
    view: KvView,
    key: Uint8Array,
    seqno: Seqno,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | undefined> {
    const fetch = new BlockFetch()
    const found = emptyFound()
    try {
      for (;;) {
        throwIfAborted(signal)
        const answer = lookup(view, key, seqno, this.#order, found, fetch)
        if (answer === PENDING) await fetch.fill(signal)
        else if (!answer || found.kind !== ENTRY_PUT) return undefined
        else return this.#copies.copy(found.block, found.valueStart, found.valueLength)
      }
    } finally {
      fetch.clear()
    }
  }
}
