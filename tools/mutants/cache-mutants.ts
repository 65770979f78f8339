/** Seeded bugs in what is kept in memory: copies of entries, blocks and the memory they lie in. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

export const CACHE_MUTANTS: readonly Mutant[] = [
  mutant(
    'copy-of-an-entry-of-another-version',
    'engines/kv/entry-cache.js',
    'this.#first = this.#next;',
    '',
    'src/engines/kv/entry-cache.test.js',
  ),
  mutant(
    'copy-made-for-a-snapshot',
    'engines/kv/entry-cache.js',
    ' || seqno < this.#seqnoLast',
    '',
    'src/engines/kv/entry-cache.test.js',
  ),
  mutant(
    'copy-newer-than-the-snapshot',
    'engines/kv/entry-cache.js',
    ' || entrySeqno > seqno',
    '',
    'src/engines/kv/entry-cache.test.js',
  ),
  mutant(
    'copy-that-was-written-over',
    'engines/kv/entry-cache.js',
    'this.#first = Math.max(this.#first, this.#limit - lapUnits);',
    '',
    'src/engines/kv/entry-cache.test.js',
  ),
  mutant(
    'copies-of-an-earlier-count-of-places',
    'engines/kv/entry-cache.js',
    'this.#buckets.fill(0);',
    '',
    'src/engines/kv/entry-cache.test.js',
  ),
  mutant(
    'copy-before-the-memtables',
    'engines/kv/point-reads.js',
    'if (findInMemtables(view, key, seqno, found))',
    'if (!this.#entries.find(view.version, key, hashKey(key, 0, key.length, 0), seqno, found) && findInMemtables(view, key, seqno, found))',
    'test/kv-popular-entries.test.js',
  ),
  mutant(
    'neighbour-under-the-next-number',
    'sst/neighbours.js',
    'this.#owner.keep(number, memory',
    'this.#owner.keep(number + 1, memory',
    'src/sst/neighbours.test.js',
  ),
  mutant(
    'neighbour-kept-though-damaged',
    'sst/neighbours.js',
    'if (!tasks.isDone(at))',
    'if (tasks.isDone(at) === undefined)',
    'src/sst/neighbours.test.js',
  ),
  mutant(
    'neighbour-over-one-that-is-kept',
    'sst/row-blocks.js',
    'this.#index === undefined || this.#slots[number] !== undefined ||',
    'this.#index === undefined ||',
    'src/sst/neighbours.test.js',
  ),
  mutant(
    'memory-of-a-scanned-block-used-again',
    'sst/row-block-copy.js',
    'block.own, block.piece)',
    'block.own)',
    'src/sst/block-reuse.test.js',
  ),
  mutant(
    'lease-of-a-batch-lost-in-a-merge',
    'kernel/entry-batch.js',
    'owned, fromLeases[from])',
    'owned, undefined)',
    'src/kernel/entry-batch.test.js',
  ),
  mutant('block-in-use-moved', 'sst/row-block.js', ' || this.#userCount > 0', '', 'src/sst/row-block.test.js'),
  mutant(
    'lent-memory-used-again',
    'sst/block-memory.js',
    'if (--this.#usedCount === 0 && !this.#lent)',
    'if (--this.#usedCount === 0)',
    'src/sst/block-reuse.test.js',
  ),
  mutant(
    'keys-alike-by-their-first-bytes',
    'sst/row-block-search.js',
    'if (aLimit === aStart)',
    'if (true)',
    'src/sst/row-cursor.test.js',
  ),
  mutant(
    'keys-alike-but-for-their-first-bytes',
    'sst/row-block-search.js',
    'key.length < prefixLength || block.headAt(index) !== headOf(key, prefixLength, key.length)',
    'key.length < prefixLength',
    'src/sst/row-cursor.test.js',
  ),
]
