/** Places that the run of `sometimes.extra.ts` need not reach, by the reason. */

const BY_REASON: readonly { readonly reason: string; readonly places: readonly string[] }[] = [
  {
    reason:
      'a second failure, while the first one is dealt with: error loops and long runs of seeds meet them, a few do not',
    places: [
      'journal/fence.js catch in empty',
      'journal/local-journal.js catch in takeBack',
      'journal/local-journal.js catch in checkFence',
      'journal/segment-chain.js catch in openPresent',
      'journal/segment.js catch in open',
      'journal/sync-witness.js catch in open',
      'shard/checkpoint.js catch in copyFile',
      'shard/manifest.js catch in writeManifestFile',
      'shard/owned-shard.js catch in freeze',
      'shard/pins.js catch in changePin',
      'shard/space-guard.js catch in release',
      'shard/write-path.js catch in append',
      'fs/encrypted-file-writer.js catch in write',
      'fs/faulty-stores.js catch in runSync',
      'fs/local-reserve.js catch in hold',
    ],
  },
  {
    reason:
      'written by a newer release, or by nobody, under checksums that are right: the fuzzing of decoders makes them',
    places: [
      'shard/group-codec.js throw INCOMPATIBLE in readGroup',
      'shard/group-codec.js throw JOURNAL_CORRUPT in failGroup',
      'shard/manifest.js throw INCOMPATIBLE in readManifestFile',
      'shard/stored-head.js throw INCOMPATIBLE in requireSame',
      'sst/key-column.js throw INCOMPATIBLE in decodeKeyColumnFooter',
      'sst/row-footer.js throw INCOMPATIBLE in decodeFooter',
      'engines/kv/table-formats.js throw INCOMPATIBLE in tableFormat',
    ],
  },
  {
    reason: 'of shards that follow, divide and join others: their tests do not meet it yet',
    places: [
      'shard/follower.js catch in start',
      'shard/follower.js catch in refresh',
      'shard/hand-over.js throw BUSY in begin',
      'shard/reclaim.js throw NOT_FOUND in reclaimSuperseded',
      'shard/reclaim.js catch in reclaimSuperseded',
      'shard/succession.js throw FENCED in succeed',
      'shard/succession.js catch in decide',
      'engines/kv/follow-kv.js catch in refreshAndAgain',
    ],
  },
  {
    reason: 'a checkpoint of a damaged file, and looking at one: tests of the command have them',
    places: ['shard/checkpoint.js throw TABLE_CORRUPT in copyFile', 'sst/row-inspection.js catch in inspectRowTable'],
  },
  {
    reason: 'of stores and schedulers elsewhere: the tests of each of them come there',
    places: [
      'fs/distant-file-reader.js throw WOULD_BLOCK in readSync',
      'fs/distant-file-reader.js throw CLOSED in checkOpen',
      'jobs/distant-scheduler.js throw UNSUPPORTED in submit',
      'jobs/distant-scheduler.js throw JOB_FAILED in runHere',
      'jobs/distant-scheduler.js catch in runHere',
    ],
  },
  {
    reason: "needs Node's permission model, or two processes: their tests are not of this run",
    places: ['fs/node-call.js catch in attempt', 'fs/directory-lock.js throw LOCKED in acquire'],
  },
  {
    reason: 'needs the addon, or a device that fails in a call that nothing here makes',
    places: ['fs/local-file-reader.js catch in readNow', 'fs/node-device.js catch in statSync'],
  },
  {
    reason: 'used wrongly, or after its end, and refused before anything has happened',
    places: [
      'sst/row-blocks.js throw CLOSED in openIndex',
      'sst/row-writer.js throw CLOSED in checkOpen',
      'sst/row-writer.js throw LIMIT_EXCEEDED in refuse',
      'sst/run-cursor.js throw CLOSED in next',
      'sst/table-cache.js throw CLOSED in checkOpen',
      'engines/kv/covered-cursor.js throw CLOSED in next',
      'engines/kv/kv-shard.js catch in put',
      'engines/kv/kv-shard.js catch in delete',
      'engines/kv/kv-shard.js catch in deleteRange',
      'engines/kv/named-order.js catch in resolveOrder',
      'engines/kv/open-kv.js throw UNSUPPORTED in withVersions',
      'engines/kv/scan.js catch in next',
      'engines/kv/scan.js throw CLOSED in check',
      'engines/kv/snapshot.js throw CLOSED in seqnoFor',
    ],
  },
  {
    reason: 'a sandbox that forbids a thread to stand back',
    places: ['jobs/thread-nice.js catch in standBack'],
  },
]

/** By the id of the place. */
export const UNREACHED: ReadonlyMap<string, string> = new Map(
  BY_REASON.flatMap(({ reason, places }) => places.map((place) => [place, reason] as const)),
)
