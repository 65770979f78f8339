/** Seeded bugs in tables, engine and shard. */

import { mutant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const ROW_CORRUPTION = 'src/sst/row-corruption.test.js'
const KV_MODEL = 'test/kv-model.test.js'
const KV_RANGES = 'test/kv-ranges.test.js'

export const ENGINE_MUTANTS: readonly Mutant[] = [
  mutant(
    'table-block-checksum-not-compared',
    'sst/row-block-decode.js',
    '!== index.checksums[number]',
    '=== undefined',
    ROW_CORRUPTION,
  ),
  mutant(
    'table-block-checksum-unseeded',
    'sst/row-block-decode.js',
    'partSeed(index.birth, PART_BLOCK, offset)',
    '0n',
    'src/sst/row-golden.test.js',
    ROW_CORRUPTION,
  ),
  mutant(
    'table-part-checksum-not-compared',
    'sst/row-meta.js',
    'return hash.hash64(bytes, partSeed(identity, kind, handle.offset)) === handle.checksum;',
    'return true;',
    ROW_CORRUPTION,
  ),
  mutant(
    'table-bomb-not-bounded',
    'sst/block-codec.js',
    'if (length > COMPRESSED_BLOCK_BYTES_MAX)\n',
    'if (length < 0)\n',
    'src/sst/block-codec.test.js',
  ),
  mutant(
    'filter-loses-keys',
    'sst/row-filter.js',
    'for (let index = 0; index < this.#count; index++) {',
    'for (let index = 1; index < this.#count; index++) {',
    'src/sst/row-filter.test.js',
  ),
  mutant(
    'bottom-keeps-no-older-stripe',
    'engines/kv/version-filter.js',
    '(this.#bottom && stripe === 0 && batch',
    '(this.#bottom && batch',
    'src/engines/kv/version-filter.test.js',
  ),
  mutant(
    'deletion-dropped-too-early',
    'engines/kv/version-filter.js',
    '(this.#bottom && stripe === 0 && batch',
    '(stripe === 0 && batch',
    'src/engines/kv/version-filter.test.js',
  ),
  mutant(
    'version-a-snapshot-sees-dropped',
    'engines/kv/stripes.js',
    'pins[stripe - 1] >= seqno',
    'pins[stripe - 1] > 0',
    'src/engines/kv/version-filter.test.js',
    KV_MODEL,
  ),
  mutant(
    'range-deletion-covers-newer',
    'engines/kv/version-filter.js',
    'if (newer < seqno)',
    'if (newer < 0)',
    'src/engines/kv/version-filter.test.js',
    KV_RANGES,
  ),
  mutant(
    'commit-by-former-owner',
    'shard/committer.js',
    'found.epoch !== this.#content.epoch || found.owner !== this.#content.owner',
    'found.epoch === undefined',
    'src/shard/committer.test.js',
  ),
  mutant(
    'own-commit-taken-for-lost',
    'shard/committer.js',
    'if (found.commit === commit)',
    'if (found.commit < 0)',
    'src/shard/committer.test.js',
  ),
  mutant(
    'file-of-a-pin-removed',
    'shard/file-remover.js',
    'names.filter((name) => !pinned.has(name))',
    'names.filter((name) => pinned !== undefined)',
    'test/clone.test.js',
  ),
  mutant('orphans-include-live-files', 'shard/file-remover.js', '!manifest.files.has(name) && ', '', KV_MODEL),
  mutant(
    'flush-before-journal-sync',
    'shard/file-changes.js',
    'await rungs.secureReplaced(journal);\n        await this.#commit(',
    'await this.#commit(',
    'src/shard/file-changes.test.js',
  ),
  mutant(
    'flush-forgets-replay-point',
    'shard/file-changes.js',
    'replayFrom: slot.positionLimit',
    'replayFrom: journal.end',
    KV_MODEL,
  ),
  mutant(
    'read-beyond-the-end-allowed',
    'fs/file-missing.js',
    'if (offset + length > ref.bytes)',
    'if (offset + length < 0)',
    'src/fs/file-stores.test.js',
  ),
  mutant(
    'manifest-checksum-not-compared',
    'shard/manifest.js',
    '!== ref.checksum)',
    '=== undefined)',
    'test/corruption/sweep.test.js',
  ),
  mutant(
    'removed-files-stay-in-manifest',
    'shard/edit.js',
    'files.delete(name)',
    'void name',
    'src/shard/edit.test.js',
  ),
  mutant(
    'job-output-under-any-name',
    'shard/job-runner.js',
    'if (!name.startsWith(spec.outputPrefix))',
    'if (name === undefined)',
    'src/shard/job-runner.test.js',
  ),
  mutant(
    'replay-accepts-gaps',
    'shard/group-codec.js',
    'seqno !== seqnoBefore)',
    'seqno < seqnoBefore)',
    'src/shard/replay.test.js',
  ),
  mutant(
    'replay-accepts-repeats',
    'shard/group-codec.js',
    'seqno !== seqnoBefore)',
    'seqno > seqnoBefore)',
    'src/shard/replay.test.js',
  ),
  mutant(
    'orphans-of-own-epoch',
    'shard/file-remover.js',
    'this.#shard) < epoch',
    'this.#shard) <= epoch',
    'src/shard/file-remover.test.js',
  ),
  mutant(
    'merge-job-without-tables',
    'engines/kv/merge-parts.js',
    'if (within.length > 0)',
    'if (within !== undefined)',
    'src/engines/kv/merge-parts.test.js',
  ),
]
