/** Seeded bugs in telling whose a file or a key is, what is a file at all, and what is a request. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const SHARD_MAP = 'src/cluster/shard-map.test.js'
const EXCHANGE = 'test/corruption/exchange.test.js'
const EXCHANGE_REPAIR = 'test/corruption/exchange-repair.test.js'
const LOST_JOURNAL = 'test/lost-journal.test.js'
const OPENING_EDGES = 'test/opening-edges.test.js'
const STALE_PINS = 'test/stale-pins.test.js'
const KEPT_FILES = 'test/arrangement/kept-files.test.js'

export const PLACE_MUTANTS: readonly Mutant[] = [
  mutant(
    'files-named-without-their-owner',
    'shard/file-names.js',
    'hashKey(bytes, 0, bytes.length, OWNER_SEED)',
    '(bytes, OWNER_SEED)',
    EXCHANGE,
  ),
  mutant('attempts-begin-at-one', 'journal/local-journal-system.js', '1 + (this.#random.u32() >>> 1)', '1', EXCHANGE),
  mutant(
    'fence-of-another-believed',
    'journal/fence.js',
    'view.getUint32(12, true) !== owner.attempt || getU64(view, 16) !== owner.epoch',
    'false',
    EXCHANGE,
  ),
  mutant(
    'misplaced-segment-is-torn',
    'journal/recovery.js',
    'await refuseMisplaced(file, shard, ids[0]);',
    '',
    EXCHANGE,
  ),
  mutant(
    'repair-takes-segments-of-anybody',
    'local-salvage.js',
    'sameOwner(id, segment.id)) ? 0 : undefined',
    'sameOwner(id, segment.id)) ? 0 : Infinity',
    EXCHANGE_REPAIR,
  ),
  mutant(
    'repair-trusts-an-older-head',
    'local-repair.js',
    'newer ? { ...journal, state: undefined } : journal',
    'journal',
    'test/repair.test.js',
  ),
  mutant(
    'head-lost-made-anew',
    'shard/stored-head.js',
    '?? (await requireNoFiles(components)) ?? ',
    '?? ',
    LOST_JOURNAL,
  ),
  mutant('head-lost-not-there', 'shard/stored-head.js', 'await requireNoFiles(components);', '', LOST_JOURNAL),
  mutant(
    'anything-is-a-file',
    'fs/node-other-thing.js',
    'if (stat.isFile())',
    'if (true)',
    'test/odd-files/odd-files.test.js',
  ),
  mutant(
    'segment-directory-is-no-segment',
    'journal/listed-segments.js',
    '!entry.directory || (state !== undefined && sameOwner(id, state))',
    '!entry.directory',
    'test/odd-files/odd-files.test.js',
  ),
  mutant(
    'denied-without-a-code',
    'cli/shard-directory.js',
    "throw deviceError(error, 'list', directory)",
    'throw error',
    'test/cli/denied.test.js',
  ),
  mutant(
    'what-is-no-request-is-passed-over',
    'rpc/server-connection.js',
    "this.cut('a request is no message');",
    '',
    'src/rpc/stranger.test.js',
  ),
  mutant(
    'shards-of-two-places-are-merged',
    'shard/succession.js',
    'await requireSamePlace(parents, place);',
    '',
    'test/arrangement/two-places.test.js',
  ),
  mutant(
    'opened-though-replaced',
    'shard/open-shard.js',
    'await abortable(committer.check(), signal);\n',
    '\n',
    OPENING_EDGES,
  ),
  mutant(
    'take-over-of-unknown-outcome-tried-again',
    'shard/open-shard.js',
    "isSameOwner && isCode(error, 'HEAD_CONFLICT')",
    'isSameOwner',
    OPENING_EDGES,
  ),
  mutant(
    'foreseen-files-believed-after-a-commit',
    'shard/open-shard.js',
    'foreseen?.edits === content.edits',
    'true',
    OPENING_EDGES,
  ),
  mutant(
    'pin-kept-for-what-never-will-be',
    'shard/stale-pins.js',
    "if (succession?.state === 'void')\n        return false;",
    '',
    STALE_PINS,
  ),
  mutant(
    'pin-dropped-while-a-change-is-open',
    'shard/stale-pins.js',
    "(await outcomeOf(heads, succession.lead)) !== 'void'",
    "(await outcomeOf(heads, succession.lead)) === 'committed'",
    STALE_PINS,
  ),
  mutant(
    'pin-dropped-though-set-anew',
    'shard/stale-pins.js',
    'pins.filter((pin) => !stale.has(pin))',
    'pins.filter(({ name }) => ![...stale].some((pin) => pin.name === name))',
    STALE_PINS,
  ),
  mutant('what-was-forsaken-left-open', 'shard/stale-pins.js', 'await mayBe(clone, shard, heads);', '', KEPT_FILES),
  mutant('cloned-though-replaced', 'shard/clone.js', 'await pins.keepOwn();\n        kept', 'kept', KEPT_FILES),
  mutant(
    'failed-split-drops-pins-of-others',
    'shard/succession.js',
    "given === 'void' ? made : []",
    'successors',
    KEPT_FILES,
  ),
  mutant(
    'reclaimed-clone-keeps-files-of-its-origin',
    'shard/reclaim.js',
    'await changePin(place.heads, owner, clonePin(shard), withoutFiles);',
    ';',
    KEPT_FILES,
  ),
  mutant(
    's3-removal-that-is-not-known-taken-for-done',
    'fs/s3/object-removal.js',
    'if (answer.status !== 200)',
    'if (false)',
    'test/s3/s3-removal.test.js',
  ),
  mutant(
    'key-at-the-start-of-a-shard-goes-before-it',
    'cluster/shard-map.js',
    'map.entries[middle].start, place) <= 0',
    'map.entries[middle].start, place) < 0',
    SHARD_MAP,
  ),
  mutant(
    'owner-changes-within-its-term',
    'cluster/map-changes.js',
    'term: entry.term + 1',
    'term: entry.term',
    SHARD_MAP,
  ),
  mutant('start-of-a-shard-lent', 'cluster/map-codec.js', 'copyOf(decoder.bytes())', 'decoder.bytes()', SHARD_MAP),
  mutant(
    'older-map-believed',
    'cluster/map-client.js',
    'map.revision > this.#map.revision',
    'map.revision !== this.#map.revision',
    'src/cluster/map-store.test.js',
  ),
]
