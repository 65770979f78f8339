/** Seeded bugs between a journal service and its clients; found without servers. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

export const JOURNAL_SERVICE_MUTANTS: readonly Mutant[] = [
  mutant(
    'append-twice-after-resume',
    'journal/remote/hosted-journal.js',
    'if (position === end) {',
    'if (position >= 0) {',
    'src/journal/remote/hosted-journal.test.js',
  ),
  mutant(
    'old-connection-appends',
    'journal/remote/hosted-journal.js',
    'if (appender !== this.#appender)',
    'if (appender === undefined)',
    'src/journal/remote/hosted-journal.test.js',
  ),
  mutant(
    'repeat-of-another-length',
    'journal/remote/hosted-journal.js',
    'recent?.bytes === payload.length',
    'recent !== undefined',
    'src/journal/remote/hosted-journal.test.js',
  ),
  mutant(
    'synced-of-unknown-not-synced',
    'journal/remote/hosted-journal.js',
    'await this.journal.sync();\n            return;',
    'return;',
    'src/journal/remote/hosted-journal.test.js',
  ),
  mutant(
    'remote-acks-out-of-order',
    'journal/remote/appends-in-flight.js',
    'first?.answered === true;',
    'first !== undefined;',
    'src/journal/remote/remote-journal.test.js',
  ),
  mutant(
    'remote-synced-before-written',
    'journal/remote/appends-in-flight.js',
    'this.#unsynced.delete(entry);\n            entry.synced?.resolve();\n        }, ',
    '}, ',
    'src/journal/remote/remote-journal.test.js',
  ),
  mutant(
    'denied-client-taken-for-refused-append',
    'journal/remote/refused-append.js',
    "error.details['appended'] === false",
    "error.details['appended'] !== true",
    'src/journal/remote/expired-token.test.js',
  ),
  mutant(
    'refused-append-of-unknown-outcome',
    'journal/remote/refused-append.js',
    'appended: false',
    'appended: true',
    'src/journal/remote/refused-append.test.js',
  ),
  mutant(
    'journal-of-dead-client-stays',
    'journal/remote/journal-service.js',
    'open.sessions.size > 0)\n',
    'open.sessions.size >= 0)\n',
    'src/journal/remote/remote-journal.test.js',
  ),
]
