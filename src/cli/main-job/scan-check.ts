/** Scans by prefix: every key in its place, both ways, and values as they were ingested. */

import type { KvShard } from '../../engines/kv/kv-shard.ts'
import type { KvSnapshot } from '../../engines/kv/kv.ts'
import type { Hash } from '../../kernel/hash.ts'
import { describeError } from '../failure.ts'
import { showKey } from '../key-text.ts'
import type { Progress } from '../progress-bar.ts'
import { noFindings } from './findings.ts'
import type { Findings } from './findings.ts'
import { CONTENT_PREFIX, contentKey, encodeStamp, stampKey, STAMP_PREFIX } from './ingested-file.ts'
import type { IngestedFile } from './ingested-file.ts'

export interface ScanCheck {
  readonly family: 'content' | 'stamp'
  readonly reverse: boolean
  readonly snapshot?: KvSnapshot
  /** What the family must have, in the order of the files' paths. */
  readonly files: readonly IngestedFile[]
}

// Values are whole files: a chunk of them should stay small. The engine also bounds a chunk in bytes.
const CHUNK_ENTRIES = 128

export async function checkScan(
  shard: KvShard,
  hash: Hash,
  { family, reverse, snapshot, files }: ScanCheck,
  progress: Progress,
  signal: AbortSignal,
): Promise<Findings> {
  const findings = noFindings()
  const prefix = family === 'content' ? CONTENT_PREFIX : STAMP_PREFIX
  const keyOf = family === 'content' ? contentKey : stampKey
  const scan = shard.scan({ prefix, reverse, signal, ...(snapshot === undefined ? {} : { snapshot }) })
  let position = 0
  try {
    for await (const entries of scan.chunks(CHUNK_ENTRIES)) {
      let bytes = 0
      for (const { key, value } of entries) {
        const file = files[reverse ? files.length - 1 - position : position]
        const expected = file === undefined ? undefined : keyOf(file)
        if (file === undefined || expected === undefined || !expected.equals(key)) {
          const place = expected === undefined ? 'the end' : showKey(expected)
          findings.differences.push(`${nameOf(prefix, reverse)}: ${showKey(key)} comes where ${place} must come`)
          // From here on every place is off by one or more: one report is enough.
          return findings
        }
        if (isAsIngested(value, file, family, hash)) findings.equal++
        else
          findings.differences.push(`${nameOf(prefix, reverse)}: the value of ${showKey(key)} is not what was ingested`)
        bytes += value.length
        position++
      }
      findings.bytes += bytes
      progress.advance(entries.length, bytes)
    }
  } catch (error) {
    signal.throwIfAborted()
    findings.differences.push(`${nameOf(prefix, reverse)}: stopped after ${position} entries: ${describeError(error)}`)
    return findings
  } finally {
    scan.close()
  }
  if (position < files.length) {
    findings.differences.push(`${nameOf(prefix, reverse)}: ended after ${position} of ${files.length} entries`)
  }
  return findings
}

function isAsIngested(value: Uint8Array, file: IngestedFile, family: 'content' | 'stamp', hash: Hash): boolean {
  if (family === 'stamp') return encodeStamp(file.stamp).equals(value)
  return value.length === file.stamp.size && hash.hash64(value, 0n) === file.contentHash
}

function nameOf(prefix: Buffer, reverse: boolean): string {
  return `scan of ${prefix.toString()} ${reverse ? 'backward' : 'forward'}`
}
