/**
 * The three iterators of abstract-level: entries, keys, values.
 *
 * They differ in what they make of an entry, which their reader knows; the rest is the same over three bases.
 */

import { AbstractIterator, AbstractKeyIterator, AbstractValueIterator } from 'abstract-level'
import { toBytes } from './encoded-data.ts'
import type { EncodedData } from './encoded-data.ts'
import type { EntryReader } from './entry-reader.ts'

export type EncodedEntry = [key: EncodedData | undefined, value: EncodedData | undefined]

export const EntryIterator = readingFrom<EncodedEntry>(AbstractIterator)
export const KeyIterator = readingFrom<EncodedData>(AbstractKeyIterator)
export const ValueIterator = readingFrom<EncodedData>(AbstractValueIterator)

interface Counted {
  readonly limit: number
  readonly count: number
}

/** A subclass of `Base` with the private methods that abstract-level calls; its types leave them out. */
function readingFrom<Item>(
  Base: new (db: unknown, options: object) => Counted,
): new (db: unknown, options: object, reader: EntryReader<Item>) => Counted {
  return class ReadingIterator extends Base {
    readonly #reader: EntryReader<Item>

    constructor(db: unknown, options: object, reader: EntryReader<Item>) {
      super(db, options)
      this.#reader = reader
    }

    _next(): Promise<Item | undefined> {
      return this.#reader.next(this.limit - this.count)
    }

    _nextv(size: number): Promise<Item[]> {
      return this.#reader.nextv(size)
    }

    _all(): Promise<Item[]> {
      return this.#reader.all(this.limit - this.count)
    }

    _seek(target: EncodedData): void {
      this.#reader.seek(toBytes(target))
    }

    _close(): Promise<void> {
      this.#reader.close()
      return Promise.resolve()
    }
  }
}
