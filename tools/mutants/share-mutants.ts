/** Seeded bugs of files that shards share, of what workers say of the tables they made, and of what openings ask first. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const TOLD = 'src/engines/kv/told-tables.test.js'
const CLONE = 'src/shard/clone.test.js'
const RECLAIM = 'src/shard/reclaim.test.js'
const CLOSED_PARTS = 'test/closed-parts.test.js'
const PUT_IN_PLACE = 'test/put-in-place.test.js'
const OUTPUT_FILE = 'src/cli/transfer/output-file.test.js'
const FOLLOWER_PINS = 'src/shard/follower-pins.test.js'

const LEFT_OUT = 'test/jobs/left-out.test.js'
const MERGED_AGAIN = 'test/jobs/merged-again.test.js'

const TOLD_TABLES = 'engines/kv/told-tables.js'
const SAMPLES = 'engines/kv/merge-samples.js'

export const SHARE_MUTANTS: readonly Mutant[] = [
  mutant('samples-entries-believed', SAMPLES, '!equalEntries(wanted.entries, found.entries) ||', '', LEFT_OUT),
  mutant(
    'samples-range-deletions-believed',
    SAMPLES,
    '|| !equalFragments(wanted.fragments, found.fragments, order)',
    '',
    LEFT_OUT,
  ),
  mutant('samples-stored-seqnos-refused', SAMPLES, 'stripes.of(entry.seqno) === 0 ?', 'false ?', MERGED_AGAIN),
  mutant('samples-snapshots-forgotten', SAMPLES, 'span, spec.pinnedSeqnos, order', 'span, [], order', MERGED_AGAIN),
  mutant('told-first-key-believed', TOLD_TABLES, 'equalBytes(told.keyFirst, found.keyFirst) &&', '', TOLD),
  mutant('told-last-key-believed', TOLD_TABLES, 'equalBytes(told.keyLast, found.keyLast) &&', '', TOLD),
  mutant('told-entries-believed', TOLD_TABLES, 'told.entryCount === found.entryCount &&', '', TOLD),
  mutant('told-range-deletions-believed', TOLD_TABLES, 'told.rangeCount === found.rangeCount &&', '', TOLD),
  mutant('told-oldest-operation-believed', TOLD_TABLES, 'seqnoFirst === found.seqnoFirst &&', '', TOLD),
  mutant('told-bounds-believed', TOLD_TABLES, 'compareCuts(order, told.upper, bounds[1]) === 0', 'true', TOLD),
  mutant(
    'range-deletion-before-entries-not-seen',
    TOLD_TABLES,
    'compareCuts(order, lower, least) < 0 ? lower : least',
    'least',
    TOLD,
  ),
  mutant(
    'told-key-column-believed',
    TOLD_TABLES,
    'entryCount === decodeColumnMeta(meta, ref.name).entryCount',
    'true',
    TOLD,
  ),
  mutant('table-out-of-reach-refused', TOLD_TABLES, 'if (!isDamage(error))', 'if (false)', TOLD),
  mutant(
    'clone-refers-to-what-nobody-keeps',
    'shard/clone.js',
    'await pins.keepOwn();\n    await pins.keepOthers();\n    await writeHead',
    'await pins.keepOthers();\n    await writeHead',
    CLONE,
  ),
  mutant(
    'clone-pins-others-once-only',
    'shard/clone.js',
    'await pins.keepOthers();\n        await pins.keepOwn();',
    'await pins.keepOwn();',
    CLONE,
  ),
  mutant(
    'clone-of-the-next-owner-taken-for-ours',
    'shard/clone.js',
    "given === 'committed' && kept",
    "given === 'committed'",
    CLONE,
  ),
  mutant('clone-of-the-next-owner-loses-its-pins', 'shard/clone.js', "if (given === 'void')", 'if (true)', CLONE),
  mutant(
    'clone-that-was-not-tried-unknown',
    'shard/clone.js',
    "given === 'unknown' && kept",
    "given === 'unknown'",
    CLONE,
  ),
  mutant(
    'stale-pin-left-where-another-changes',
    'shard/stale-pins.js',
    'if (!committer.content.pins.some',
    'if (true || !committer.content.pins.some',
    'test/stale-pins.test.js',
  ),
  mutant('reclaimed-under-who-goes-on', 'shard/reclaim.js', "if (outcome !== 'committed')", 'if (false)', RECLAIM),
  mutant(
    'reclaimed-under-a-follower',
    'shard/reclaim.js',
    'if (clone === undefined)\n        return pin.files;',
    'if (clone === undefined)\n        return [];',
    RECLAIM,
  ),
  mutant(
    'replaced-clone-keeps-what-it-dropped',
    'shard/reclaim.js',
    'pin.files.filter((name) => files.has(name))',
    'pin.files',
    RECLAIM,
  ),
  mutant(
    'follower-forgets-where-it-has-pins',
    'shard/follower-pins.js',
    '[...this.#owners, this.#shard]',
    '[this.#shard, ...this.#owners]',
    FOLLOWER_PINS,
  ),
  mutant('opened-over-closed-files', 'shard/open-parts.js', 'await files.ready();', ';', CLOSED_PARTS),
  mutant('opened-over-closed-jobs', 'shard/open-parts.js', 'await scheduler.ready();', ';', CLOSED_PARTS),
  mutant(
    'lock-file-that-is-being-written-removed',
    'fs/directory-lock.js',
    "typeof holder === 'object' && !isAlive(options, path, holder)",
    "!(typeof holder === 'object' && isAlive(options, path, holder))",
    'src/fs/directory-lock.test.js',
  ),
  mutant(
    'part-of-a-database-served',
    'cli/serve/served-directory.js',
    'await refuseUnfinished(device, directory);',
    '',
    PUT_IN_PLACE,
  ),
  mutant(
    'part-of-a-live-export-removed',
    'cli/transfer/output-file.js',
    'pid === undefined || processes.isAlive(',
    'pid === undefined || void (',
    OUTPUT_FILE,
  ),
  mutant(
    'part-kept-for-the-number-of-its-process',
    'cli/transfer/output-file.js',
    'pid: Number(pid), startedAt }',
    "pid: Number(pid), startedAt: '' }",
    OUTPUT_FILE,
  ),
  mutant(
    'closed-file-store-taken-for-damage',
    'engines/kv/kv-verify.js',
    "error.kind !== 'closed'",
    'true',
    CLOSED_PARTS,
  ),
  mutant('blocks-without-lz4-are-damaged', 'kernel/damage.js', "'UNSUPPORTED', ", '', 'test/no-addons.test.js'),
  mutant(
    'what-lacks-a-descriptor-is-damaged',
    'kernel/damage.js',
    ", 'OUT_OF_FILES'",
    '',
    'test/repair-not-damage.test.js',
  ),
  mutant(
    'directory-in-the-place-of-a-head-ends-repair',
    'kernel/damage.js',
    "'found' in error.details",
    'false',
    'test/repair-other-things.test.js',
  ),
  mutant(
    'shares-of-another-clone-named',
    'local-shared-tables.js',
    'name === clonePin(shard)',
    'true',
    'test/repair-other-shards.test.js',
  ),
  mutant(
    'created-file-not-removed',
    'fs/removable-device.js',
    "if (mode === 'create')",
    'if (false)',
    'src/fs/removable-device.test.js',
  ),
]
