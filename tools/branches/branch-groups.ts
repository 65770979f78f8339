/** Which code must have how many of its branches taken by tests. */

export interface BranchGroup {
  readonly name: string
  /** Of files below `build/src`; the first group that holds a file has it. */
  readonly holds: (file: string) => boolean
}

const CODEC = `
  kernel/codec kernel/varint journal/frame journal/frame-cursor journal/pending-frame
  journal/segment-header journal/segment-id journal/segment-index journal/journal-state shard/group-codec
  shard/head-content shard/edit engines/kv/operation-codec engines/kv/table-meta sst/block-codec
  sst/row-footer sst/row-block sst/row-block-decode sst/packed-block sst/packed-shape sst/row-index sst/row-meta sst/row-properties
  sst/row-ranges sst/row-filter sst/key-column kernel/range-tombstone fs/head-file fs/head-frame
  fs/encryption-header fs/encrypted-layout fs/aes-gcm
`
const RECOVERY = `
  journal/recovery journal/segment-scan journal/segment-chain journal/sync-witness journal/closed-log
  journal/segment shard/replay shard/rebuild shard/table-stack
`
const FENCING = `
  journal/fence shard/committer shard/open-shard fs/directory-lock fs/lock-file fs/local-head-store
`
const MANIFEST = `
  shard/manifest shard/manifest-log shard/change-edit shard/version-commits shard/version
  shard/file-remover shard/pins shard/pinned-seqnos
`
const ENGINE = /^(?:kernel|fs|journal|memtable|sst|jobs|shard|shard\/policy|engines\/kv|engines\/level)\/[^/]+$/

export const BRANCH_GROUPS: readonly BranchGroup[] = [
  { name: 'codecs', holds: among(CODEC) },
  { name: 'recovery', holds: among(RECOVERY) },
  { name: 'fencing', holds: among(FENCING) },
  { name: 'manifest', holds: among(MANIFEST) },
  { name: 'the rest of the engine', holds: (file) => ENGINE.test(file) },
  { name: 'command line, remote parts, composition', holds: () => true },
]

/** @param names without `.js`, with blanks between */
function among(names: string): (file: string) => boolean {
  const files = new Set(
    names
      .trim()
      .split(/\s+/)
      .map((name) => `${name}.js`),
  )
  return (file) => files.has(file)
}
