/** Seeded bugs in who waits for what: for a sync, for what is being closed, and for what is given up. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const CLOSED_PARTS = 'test/closed-parts.test.js'

export const WAIT_MUTANTS: readonly Mutant[] = [
  mutant(
    'sync-leaves-waiting-writes-behind',
    'shard/owned-shard.js',
    'await this.#inOrder(() => this.#writes.endGroup());',
    '',
    'test/held-back.test.js',
  ),
  mutant(
    'names-believed-before-they-are-synced',
    'journal/segment-names.js',
    'await directory.sync();',
    'void directory.sync();',
    'src/journal/segment-names.test.js',
  ),
  mutant('closed-beside-a-flush', 'shard/owned-shard.js', 'await stopped;', 'void stopped;', CLOSED_PARTS),
  mutant(
    'tables-of-a-closed-shard-stay-open',
    'engines/kv/kv-shard.js',
    '() => this.#parts.tables.close(), ',
    '',
    CLOSED_PARTS,
  ),
  mutant(
    'closed-before-the-store-behind-the-cache',
    'fs/cache/cached-file-store.js',
    'await this.#inner.close();',
    'void this.#inner.close();',
    'src/fs/cache/cached-file-store.test.js',
  ),
  mutant(
    'tried-again-beside-what-is-being-removed',
    'shard/job-runner.js',
    'await within(',
    'void within(',
    'src/shard/job-runner.test.js',
  ),
  mutant('done-though-nobody-waits', 'shard/in-order.js', 'waiting = false;', '', 'src/shard/in-order.test.js'),
  mutant(
    'given-up-change-keeps-pins-of-others',
    'shard/succession.js',
    "what === 'keep' ? withFiles(names) : withoutFiles",
    'withFiles(names)',
    'src/shard/succession.test.js',
  ),
  mutant(
    'follower-that-fails-leaves-its-pin',
    'shard/follower.js',
    'follower.#close().catch(() => undefined);',
    '',
    'test/follower.test.js',
  ),
]
