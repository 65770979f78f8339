/** Seeded bugs in journals that are kept in PostgreSQL. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const JOURNAL_TABLE = 'src/journal/postgres/postgres-journal-table.test.js'
const JOURNAL_RESERVE = 'src/journal/postgres/journal-reserve.test.js'

export const POSTGRES_MUTANTS: readonly Mutant[] = [
  mutant(
    'pg-refused-taken-for-done',
    'journal/postgres/row-writer.js',
    'const state = await this.check();\n                    if (state.end === end && end > start)\n                        return false;',
    'return true;',
    'test/postgres/postgres-journal.test.js',
  ),
  mutant(
    'pg-full-though-unanswered',
    'journal/postgres/row-writer.js',
    'wasRefused(reason) && !unanswered',
    'wasRefused(reason)',
    'test/postgres/postgres-journal.test.js',
  ),
  mutant(
    'pg-owner-not-compared',
    'journal/postgres/row-writer.js',
    'state.owner !== owner || state.epoch !== epoch',
    'state.epoch !== epoch',
    'test/postgres/postgres-journal.test.js',
  ),
  mutant(
    'pg-durable-forgotten',
    'journal/postgres/row-writer.js',
    'rows, group.synced !== undefined)',
    'rows, false)',
    'test/postgres/postgres-journal.test.js',
  ),
  mutant(
    'vacuum-without-the-room-kept-for-it',
    'journal/postgres/journal-reserve.js',
    'await attempt(work, `TRUNCATE ${this.#reserve}`);',
    '',
    JOURNAL_RESERVE,
  ),
  mutant(
    'room-given-away-without-a-lock',
    'journal/postgres/journal-reserve.js',
    'await lock.script(',
    'void (',
    JOURNAL_RESERVE,
  ),
  mutant(
    'room-made-for-every-refusal',
    'journal/postgres/journal-reserve.js',
    'if (this.#wanted)\n            return;',
    '',
    JOURNAL_RESERVE,
  ),
  mutant(
    'append-takes-the-room-of-vacuum',
    'journal/postgres/postgres-journal-table.js',
    'if (this.#reserve.making && rows.length > 0) {',
    'if (false) {',
    JOURNAL_TABLE,
  ),
  mutant(
    'replaced-owner-waits-for-vacuum',
    'journal/postgres/postgres-journal-table.js',
    'if (await this.#isLost(shard, epoch, owner))',
    'if (false)',
    JOURNAL_TABLE,
  ),
]
