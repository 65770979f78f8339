/**
 * Seeded bugs in what a shard does unasked: flushes that nobody called for, files and threads that are let go; and in what
 * opening, repair and destroying leave.
 */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const LOCAL_OPENING = 'test/local-opening.test.js'
const NAMED_LOSSES = 'test/repair-named-losses.test.js'
const OPENING_FLUSH = 'src/shard/opening-flush.test.js'
const HAND_OVER = 'src/shard/hand-over.test.js'
const SPACE_GUARD = 'src/shard/space-guard.test.js'
const PASSED_DELETIONS = 'test/passed-deletions.test.js'
// Skipped without the addon: `npm run build:native` first.
const LARGE_VALUES = 'test/native/native-large-values.test.js'

export const UPKEEP_MUTANTS: readonly Mutant[] = [
  mutant('opening-never-flushes', 'shard/opening-flush.js', 'openings <= OPENINGS_MAX', 'openings > 0', OPENING_FLUSH),
  mutant(
    'opening-waits-for-its-flush',
    'shard/opening-flush.js',
    'openings > OPENINGS_BEHIND_MAX',
    'true',
    OPENING_FLUSH,
  ),
  mutant('opening-waits-for-ever', 'shard/opening-flush.js', 'late || ', '', OPENING_FLUSH),
  mutant(
    'opening-waits-for-a-flush-that-is-stuck',
    'shard/opening-flush.js',
    ' || this.#host.isStuck()',
    '',
    OPENING_FLUSH,
  ),
  mutant(
    'opening-counts-files-of-others',
    'shard/opening-flush.js',
    'if (made <= epoch)',
    'if (made > 0)',
    OPENING_FLUSH,
  ),
  mutant(
    'zeros-cut-below-the-end',
    'journal/segment-log.js',
    'await file.truncate(offset);',
    'await file.truncate(offset - 1);',
    'test/journal/closed-journal.test.js',
  ),
  mutant(
    'idle-worker-never-ends',
    'jobs/worker-pool.js',
    'void worker.stop();',
    '',
    'test/jobs/worker-scheduler.test.js',
  ),
  mutant(
    'passed-deletions-never-flush',
    'engines/kv/passed-deletions.js',
    'this.#count < PASSED_MAX',
    'this.#count >= 0',
    PASSED_DELETIONS,
  ),
  mutant(
    'passed-deletions-flush-once',
    'engines/kv/passed-deletions.js',
    'void (this.#flushing = false)',
    'undefined',
    PASSED_DELETIONS,
  ),
  mutant(
    'large-block-kept-at-once',
    'sst/large-blocks.js',
    'passed[number] === 1',
    'passed[number] === 0',
    LARGE_VALUES,
  ),
  mutant('large-block-never-kept', 'sst/large-blocks.js', 'passed[number] = 1;', '', LARGE_VALUES),
  mutant(
    'opening-leaves-leftovers',
    'local-components.js',
    'if (!readOnly)\n        await store.removeLeftovers();',
    '',
    'test/put-in-place.test.js',
  ),
  mutant('retries-come-ever-faster', 'shard/back-off.js', '* 2 **', '/ 2 **', 'src/shard/back-off.test.js'),
  mutant(
    'fifo-forgets-for-what-is-taken',
    'shard/policy/fifo.js',
    'input.files.filter((file) => !layout.isTaken(file))',
    'input.files',
    'src/shard/policy/fifo.test.js',
  ),
  mutant(
    'full-disk-lets-what-waits-wait',
    'shard/write-path.js',
    "this.#queue.rejectWrites(reason, 'store');",
    '',
    'src/shard/write-path.test.js',
  ),
  mutant(
    'what-left-the-queue-comes-back',
    'shard/write-queue.js',
    'const waiting = this.#waiting.slice(this.#next);',
    'const waiting = this.#waiting;',
    'src/shard/write-queue.test.js',
  ),
  mutant(
    'spare-is-part-of-the-log',
    'journal/listed-segments.js',
    '(await device.stat(path))?.bytes === 0',
    'false',
    'test/journal/spare-left.test.js',
  ),
  mutant(
    'emptied-end-taken-for-a-spare',
    'journal/listed-segments.js',
    'last !== undefined && last.index !== closing?.index',
    'last !== undefined',
    'test/journal/put-back.test.js',
  ),
  mutant(
    'spare-stays-behind',
    'journal/segment-log.js',
    'await this.spare.discard();',
    '',
    'test/journal/spare-left.test.js',
  ),
  mutant(
    'spare-taken-twice',
    'journal/spare-segment.js',
    'await this.#spares.shift()',
    'await this.#spares.shift();\n            if (spare !== undefined)\n                this.#spares.unshift(Promise.resolve(spare))',
    'src/journal/spare-segment.test.js',
  ),
  mutant(
    'merges-stand-for-ever',
    'jobs/precedence.js',
    'this.#leftMs -= this.#sinceMs - startMs;',
    '',
    'src/jobs/precedence.test.js',
  ),
  mutant(
    'merges-go-on-beside-flushes',
    'jobs/precedence.js',
    'outnumbered ? 1 : 0',
    '0',
    'src/jobs/precedence.test.js',
  ),
  mutant(
    'urgent-jobs-not-counted',
    'jobs/worker-pool.js',
    'this.#precedence.begin(urgent);',
    '',
    'test/jobs/worker-pool.test.js',
  ),
  mutant(
    'loop-that-ends-keeps-its-scan',
    'engines/kv/scan-entries.js',
    'this.#scan.close();',
    '',
    'src/engines/kv/scan-entries.test.js',
  ),
  mutant(
    'entries-out-of-turn',
    'engines/kv/scan-entries.js',
    'this.#calls > 0 || ',
    '',
    'src/engines/kv/scan-entries.test.js',
  ),
  mutant(
    'parts-closed-with-the-first-shard',
    'engines/kv/shared-parts.js',
    'left > 0 ?',
    'left < 0 ?',
    'test/shards-in-one-directory.test.js',
  ),
  mutant('two-hand-overs-at-once', 'shard/hand-over.js', 'if (this.#begun)', 'if (false)', HAND_OVER),
  mutant(
    'given-up-change-drops-all-pins',
    'shard/hand-over.js',
    'pins.filter(({ name }) => !names.has(name))',
    '[]',
    HAND_OVER,
  ),
  mutant('given-up-change-leaves-its-seal', 'shard/hand-over.js', 'succession: undefined,', '', HAND_OVER),
  mutant('reserve-asked-for-while-given-back', 'shard/space-guard.js', 'await this.#releasing;', '', SPACE_GUARD),
  mutant(
    'nothing-tried-again-where-there-is-space',
    'shard/space-guard.js',
    'this.#host.refuse(undefined);\n        this.#host.renew();',
    'this.#host.refuse(undefined);',
    SPACE_GUARD,
  ),
  mutant(
    'range-deletion-hides-what-came-after-it',
    'local-newest-entries.js',
    'return this.#tombstones.newest(key, 0, key.length, SEQNO_MAX) <= seqno;',
    'return this.#tombstones.newest(key, 0, key.length, SEQNO_MAX) <= 0;',
    NAMED_LOSSES,
  ),
  mutant('gap-in-a-journal-not-told', 'local-salvage.js', 'if (position > expected)\n', 'if (false)\n', NAMED_LOSSES),
  mutant(
    'journal-file-of-a-stranger-not-told',
    'local-salvage.js',
    "lose('it is of an owner that the head does not know, perhaps of another database');\n                continue;",
    'continue;',
    NAMED_LOSSES,
  ),
  mutant(
    'tables-of-a-name-that-begins-alike-taken',
    'local-salvage.js',
    'writerOf(name) === this.#directory.shard',
    'name.startsWith(this.#directory.shard)',
    'test/repair-other-shards.test.js',
  ),
  mutant(
    'tables-of-other-clones-taken-where-there-is-no-head',
    'local-salvage.js',
    'TABLE_NAME.test(name) && writerOf(name) === this.#directory.shard',
    'TABLE_NAME.test(name)',
    'test/repair-other-shards.test.js',
  ),
  mutant(
    'failed-opening-keeps-its-lock',
    'local-components.js',
    'closeEach([() => lock?.release(), () => calls?.close()])',
    'closeEach([() => calls?.close()])',
    LOCAL_OPENING,
  ),
  mutant(
    'reader-tidies-up-after-the-owner',
    'local-components.js',
    'if (!readOnly)\n        await store.removeLeftovers();',
    'await store.removeLeftovers();',
    LOCAL_OPENING,
  ),
  mutant(
    'reserve-stays-when-all-is-destroyed',
    'local-destroy.js',
    'if (found.includes(RESERVE_NAME))\n            await device.unlink(RESERVE_NAME);',
    '',
    LOCAL_OPENING,
  ),
]
