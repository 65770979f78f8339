/** Seeded bugs in files of journal segments that are used again. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const SPARE = 'journal/spare-segment.js'
const SPARE_TEST = 'src/journal/spare-segment.test.js'
const JOURNAL_CRASH = 'src/journal/local-journal-crash.test.js'
const KEPT_FRAME = 'test/journal/kept-frame.test.js'
const TAKEN_BACK = 'test/interleavings/taken-back.test.js'
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
  mutant(
    'last-frame-left-to-its-former-owner',
    'journal/kept-frame.js',
    'if (last.end === last.base)',
    'if (last.end > last.base)',
    TAKEN_BACK,
    KEPT_FRAME,
  ),
  mutant('kept-frame-not-synced', 'journal/kept-frame.js', 'await file.sync();', '', KEPT_FRAME),
  mutant(
    'refused-by-who-was-fenced-meanwhile',
    'journal/local-journal.js',
    'await this.#log.rewind().then(() => this.#checkFence())',
    'await this.#log.rewind()',
    TAKEN_BACK,
  ),
  mutant(
    'copy-that-was-not-committed-is-of-an-unknown-owner',
    'journal/recovery.js',
    'listed.filter(({ index }) => index !== KEPT_INDEX).at(-1)',
    'listed.at(-1)',
    KEPT_FRAME,
  ),
  mutant(
    'owner-that-was-replaced-while-it-opened-finds-damage',
    'journal/local-journal-system.js',
    "isCode(error, 'JOURNAL_CORRUPT') && !",
    'false && !',
    'test/journal/recovery-edges.test.js',
  ),
  mutant(
    'answers-refused-for-want-of-a-head',
    'shard/owner-doubt.js',
    '?? unheard ?? error',
    '?? error',
    'src/shard/owner-doubt.test.js',
  ),
  mutant(
    'segment-of-a-former-owner-missed',
    'journal/log-watch.js',
    'segments.filter(({ end }) => end > this.#needed)',
    'segments.slice()',
    'src/journal/log-watch.test.js',
  ),
  mutant(
    'writes-of-a-replaced-owner-saved',
    'local-salvage.js',
    ' || position >= endOfId',
    '',
    'test/repair-replaced-owner.test.js',
  ),
]
