/**
 * Whole databases whose head and journal say what nobody wrote, under right checksums: opening, reading, writing,
 * flushing and compacting either do or say why not.
 */

import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { decodeHeadFile, encodeHeadFile, headFileVersion } from '../../src/fs/head-file.ts'
import { shardIdentity } from '../../src/journal/segment-id.ts'
import { decodeHead, encodeHead } from '../../src/shard/head-content.ts'
import { openOn } from '../corruption/composition.ts'
import { deviceOf } from '../corruption/image.ts'
import { makeSpecimens } from '../corruption/specimen.ts'
import type { Specimen } from '../corruption/specimen.ts'
import { errorOf } from './fuzz-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { resealed, sealState, segmentIdentityOf } from './journal-seals.ts'
import type { Pieces } from './mutation.ts'

const SHARD = shardId('main')
const PROCESS = 5000

export async function databaseTargets(): Promise<readonly FuzzTarget[]> {
  const hash = await loadHash()
  const specimens = await makeSpecimens()
  return specimens.slice(0, 2).map((specimen) => databaseTarget(specimen, hash))
}

/** Pieces: the edits of the head, its journal state, and the segments. */
function databaseTarget(specimen: Specimen, hash: Hash): FuzzTarget {
  const paths = [...specimen.image.keys()]
  const headPath = paths
    .filter((path) => path.startsWith('heads/'))
    .sort()
    .at(-1) as string
  const headVersion = headFileVersion(SHARD, headPath.slice('heads/'.length)) as number
  const headFile = specimen.image.get(headPath) as Uint8Array
  const head = decodeHead(decodeHeadFile(SHARD, headVersion, headFile, headPath, hash), headPath)
  const logs = paths.filter((path) => path.endsWith('.log'))
  const editCount = head.edits.length
  return {
    name: `database, ${specimen.name}`,
    specimens: [
      [...head.edits, head.journalState as Uint8Array, ...logs.map((path) => specimen.image.get(path) as Uint8Array)],
    ],
    join(pieces, sealed) {
      const state = (pieces[editCount] as Uint8Array).slice()
      if (sealed) sealState(state, shardIdentity(SHARD))
      const content = encodeHead({ ...head, edits: pieces.slice(0, editCount), journalState: state })
      const segments = pieces.slice(editCount + 1).map((bytes, index) => {
        const identity = segmentIdentityOf(SHARD, logs[index] as string)
        return sealed ? resealed(bytes, identity, identity, hash) : bytes
      })
      return [encodeHeadFile(SHARD, headVersion, content, hash), ...segments]
    },
    async parse(stored: Pieces) {
      const image = new Map(specimen.image).set(headPath, stored[0] as Uint8Array)
      for (const [index, path] of logs.entries()) image.set(path, stored[index + 1] as Uint8Array)
      const device = deviceOf(image)
      for (const process of [PROCESS, PROCESS + 1]) {
        const db = await openOn(device, process)
        const calls = [
          async () => {
            for await (const entry of db.scan()) if (entry.key.length > 100_000) throw new Error('an impossible key')
          },
          async () => {
            for (const key of specimen.keys.slice(0, 5)) await db.get(Buffer.from(key))
          },
          () => db.put(Buffer.from('zz'), Buffer.from('added'), { durability: 'synced' }),
          () => db.flush(),
          () => db.compactRange(),
          () => db.close(),
        ]
        let defect: Error | undefined
        for (const call of calls) {
          await call().catch((error: unknown) => {
            if (!(error instanceof VarveError)) defect ??= errorOf(error)
          })
        }
        if (defect !== undefined) throw defect
      }
    },
    share: 20,
    heapBytes: 64 * 1024 * 1024,
  }
}
