/** Seeded bugs in files of journal segments that are used again. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const SPARE = 'journal/spare-segment.js'
const SPARE_TEST = 'src/journal/spare-segment.test.js'
const JOURNAL_CRASH = 'src/journal/local-journal-crash.test.js'
const DROPPED_WHILE_READ = 'test/journal/dropped-while-read.test.js'

export const SEGMENT_MUTANTS: readonly Mutant[] = [
  mutant(
    'segment-written-to-before-its-name-is-stored',
    SPARE,
    'await directory.sync();',
    '',
    JOURNAL_CRASH,
    SPARE_TEST,
  ),
  mutant(
    'segment-of-another-owner-used-again',
    SPARE,
    '!sameOwner(id, this.#owner)',
    'false',
    SPARE_TEST,
    JOURNAL_CRASH,
  ),
  mutant('segment-used-again-on-a-crowded-disk', SPARE, 'crowded?.() === true', 'false', SPARE_TEST),
  mutant('segments-kept-for-ever', SPARE, 'clock?.after(', 'clock?.monotonic?.call(clock, ', SPARE_TEST),
  mutant(
    'segment-whose-header-a-power-cut-took-is-misplaced',
    'journal/segment-header.js',
    'id === undefined || isUsedAgain(id, oldest)',
    'id === undefined',
    JOURNAL_CRASH,
  ),
  mutant(
    'any-segment-in-the-place-of-another',
    'journal/segment-header.js',
    'sameOwner(former, oldest) && former.index < oldest.index',
    'true',
    'test/journal/local-journal-damage.test.js',
    JOURNAL_CRASH,
  ),
  mutant(
    'log-ends-where-its-owner-dropped-a-segment',
    'journal/recovery.js',
    '(await device.stat(path)) === undefined',
    'false',
    DROPPED_WHILE_READ,
  ),
]
