/**
 * The shard against the disk, file by file and byte by byte.
 *
 * A file may change while the job runs. Size and modification time tell; its value is then held against the checksum
 * taken when it was ingested. What differs although both are as they were is a difference, whoever is to blame.
 */

import type { KvShard } from '../../engines/kv/kv-shard.ts'
import type { ReadOptions } from '../../engines/kv/kv.ts'
import type { Hash } from '../../kernel/hash.ts'
import { describeError } from '../failure.ts'
import { showKey } from '../key-text.ts'
import type { Progress } from '../progress-bar.ts'
import { forEachBounded, workLimits } from '../tree-files/bounded-work.ts'
import { isSameContentStamp, readDiskFile } from '../tree-files/disk-file.ts'
import type { DiskFile } from '../tree-files/disk-file.ts'
import { noFindings } from './findings.ts'
import type { Findings } from './findings.ts'
import { contentKey, encodeStamp, stampKey } from './ingested-file.ts'
import type { IngestedFile } from './ingested-file.ts'

export interface ComparisonParts {
  readonly shard: KvShard
  /** The input directory. */
  readonly root: string
  readonly hash: Hash
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Compares both keys of each of `files` with the disk; all must be there. */
export async function compareWithDisk(
  parts: ComparisonParts,
  files: readonly IngestedFile[],
  read: ReadOptions = {},
): Promise<Findings> {
  const findings = noFindings()
  const sizeOf = ({ stamp }: IngestedFile): number => 2 * stamp.size
  await forEachBounded(files, workLimits(parts.signal), sizeOf, async (file) => {
    const disk = await currentFile(parts.root, file)
    // A changed mode leaves no trace in size and time; the stamp is then only held against what was ingested.
    if (disk === undefined || disk.stamp.mode !== file.stamp.mode) findings.changed.push(showKey(file.path))
    await compareValue(parts, findings, contentKey(file), read, (value) =>
      differenceOfContent(value, file, disk, parts.hash),
    )
    await compareValue(parts, findings, stampKey(file), read, (value) => differenceOfStamp(value, file))
    parts.progress.advance(1, file.stamp.size)
  })
  return findings
}

/** Checks that neither key of `files` is there. */
export async function compareGone(parts: ComparisonParts, files: readonly IngestedFile[]): Promise<Findings> {
  const findings = noFindings()
  await forEachBounded(
    files,
    workLimits(parts.signal),
    () => 0,
    async (file) => {
      for (const key of [contentKey(file), stampKey(file)]) {
        try {
          const value = await parts.shard.get(key)
          if (value === undefined) findings.equal++
          else findings.differences.push(`${showKey(key)} has been deleted and is still there, ${value.length} bytes`)
        } catch (error) {
          findings.differences.push(`${showKey(key)} cannot be read: ${describeError(error)}`)
        }
      }
      parts.progress.advance(1, 0)
    },
  )
  return findings
}

/** The file as it is on disk, or undefined where it is not the one that was ingested any more. */
async function currentFile(root: string, { path, stamp }: IngestedFile): Promise<DiskFile | undefined> {
  try {
    const disk = await readDiskFile(root, path)
    return isSameContentStamp(disk.stamp, stamp) ? disk : undefined
  } catch {
    return undefined
  }
}

async function compareValue(
  { shard }: ComparisonParts,
  findings: Findings,
  key: Buffer,
  read: ReadOptions,
  differenceOf: (value: Uint8Array) => string | undefined,
): Promise<void> {
  let difference: string | undefined
  try {
    const value = await shard.get(key, read)
    if (value === undefined) difference = 'is missing'
    else {
      difference = differenceOf(value)
      findings.bytes += value.length
    }
  } catch (error) {
    // A damaged block hides its keys and no others: go on with the rest.
    difference = `cannot be read: ${describeError(error)}`
  }
  if (difference === undefined) findings.equal++
  else findings.differences.push(`${showKey(key)} ${difference}`)
}

function differenceOfContent(
  value: Uint8Array,
  { stamp, contentHash }: IngestedFile,
  disk: DiskFile | undefined,
  hash: Hash,
): string | undefined {
  if (disk !== undefined && disk.content.equals(value)) return undefined
  const isAsIngested = value.length === stamp.size && hash.hash64(value, 0n) === contentHash
  if (disk === undefined) {
    return isAsIngested ? undefined : `is not what was ingested: ${value.length} bytes with another checksum`
  }
  const blame = isAsIngested
    ? 'the shard has what was ingested, so the file was changed without a trace in its size and time'
    : 'the shard no longer has what was ingested'
  return `differs from the file at byte ${firstDifference(value, disk.content)}: ${blame}`
}

/** The stamp on disk is the one that was ingested, or the file counts as changed: what is expected is known either way. */
function differenceOfStamp(value: Uint8Array, file: IngestedFile): string | undefined {
  const expected = encodeStamp(file.stamp)
  if (expected.equals(value)) return undefined
  return `differs at byte ${firstDifference(value, expected)} from what was ingested, ${expected.toString()}`
}

/** Offset of the first byte that differs; the length of the shorter where that is a prefix of the other. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  let index = 0
  while (index < shared && a[index] === b[index]) index++
  return index
}
