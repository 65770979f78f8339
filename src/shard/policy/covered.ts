/**
 * Files that a deletion covers whole, as a pure function: they are forgotten, not rewritten.
 *
 *      newer    ├──────── range deletion ────────┤
 *      older       ├── file ──┤   ├── file ──┤  ├── file ──┤
 *                  forgotten      forgotten     has to be merged
 *
 * Nothing comes back: what such a file hides is within its bounds, older still, and covered by the same deletion, which
 * stays until it has been merged with everything below it. So that nobody misses it, the deletion has to be older than
 * whatever anyone still reads as of.
 *
 * RocksDB's DeleteFilesInRange does as much when it is told to, but hides nothing first; its range deletions weigh what
 * they cover, and rewrite it.
 */

import { Layout } from './layout.ts'
import type { DropChoice, PolicyFile, PolicyInput } from './policy.ts'

export interface CoveredInput<Bound> extends PolicyInput<Bound, unknown> {
  /** The oldest seqno that anyone reads as of; Infinity where everybody reads the newest. */
  readonly seqnoRead: number
}

/** What to forget: one choice, or none. */
export function chooseCovered<Bound>(input: CoveredInput<Bound>): readonly DropChoice[] {
  if (input.files.every(({ covers }) => covers === undefined || covers.length === 0)) return []
  const layout = new Layout(input)
  const covered = new Set<PolicyFile<Bound>>()
  for (const file of input.files) {
    if (file.seqnoLast > input.seqnoRead) continue
    for (const span of file.covers ?? []) {
      for (const older of layout.within(span)) if (isOlder(older, file)) covered.add(older)
    }
  }
  const inputs = [...covered].filter((file) => !layout.isTaken(file)).map(({ name }) => name)
  return inputs.length === 0 ? [] : [{ type: 'drop', inputs, level: undefined }]
}

function isOlder<Bound>(file: PolicyFile<Bound>, than: PolicyFile<Bound>): boolean {
  return file.level === than.level ? file.level === 0 && file.seqnoLast < than.seqnoLast : file.level > than.level
}
