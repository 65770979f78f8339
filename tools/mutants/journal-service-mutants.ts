/** Seeded bugs between a journal service and its clients; found without servers. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const REOPENED = 'src/journal/remote/reopened-journal.test.js'

const SHARED_OWNERS = 'src/journal/shared-owners.test.js'

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
    'forgotten-journal-is-of-unknown-outcome',
    'journal/remote/remote-journal.js',
    "isCode(error, 'POISONED') && this.#appends.unsent",
    'false && this.#appends.unsent',
    REOPENED,
  ),
  mutant(
    'appends-under-way-are-sent-to-a-new-journal',
    'journal/remote/remote-journal.js',
    "isCode(error, 'POISONED') && this.#appends.unsent",
    "isCode(error, 'POISONED')",
    REOPENED,
  ),
  mutant(
    'reopened-log-may-be-shorter',
    'journal/remote/reopened-journal.js',
    'if (found === end)',
    'if (true)',
    REOPENED,
  ),
  mutant(
    'journal-of-dead-client-stays',
    'journal/remote/hosted-journals.js',
    'open.sessions.size > 0)\n',
    'open.sessions.size >= 0)\n',
    'src/journal/remote/remote-journal.test.js',
  ),
  mutant('shared-states-not-synced', 'journal/shared-space.js', 'await physical.sync();', '', SHARED_OWNERS),
  mutant(
    'shared-reader-sees-what-came-later',
    'journal/shared-replay.js',
    'position >= from && position < limit',
    'position >= from',
    SHARED_OWNERS,
  ),
  mutant(
    'shared-opened-though-overtaken',
    'journal/shared-journal-system.js',
    'if (log.owner !== journal)\n            throw fenced(log.epoch);',
    '',
    SHARED_OWNERS,
  ),
  mutant(
    'shared-former-owner-truncates',
    'journal/shared-journal.js',
    'this.#checkOwner();\n        this.#log.forget(before);',
    'this.#log.forget(before);',
    SHARED_OWNERS,
  ),
  mutant(
    'shared-needed-not-looked-for',
    'journal/shared-journal-system.js',
    'this.#checkNeeded(log, needed);\n        const journal',
    'const journal',
    SHARED_OWNERS,
  ),
]
