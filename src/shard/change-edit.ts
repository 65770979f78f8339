/** From what a policy wants to what the manifest records. */

import type { FileName } from '../kernel/ids.ts'
import type { Edit, ManifestState } from './edit.ts'
import type { Change, VersionFile } from './shard.ts'

/** The files a change is about: nobody else may touch them meanwhile. */
export function namesOf(change: Change): readonly FileName[] {
  return change.type === 'rewrite' ? change.inputs : change.files
}

/** @param added what a rewrite has made */
export function toEdit(
  change: Change,
  added: readonly VersionFile[],
  { files, replayFrom, seqnoLast }: ManifestState,
): Edit {
  if (change.type !== 'move') return { removed: namesOf(change), added, replayFrom, seqnoLast }
  const moved = change.files.flatMap((name) => files.get(name) ?? [])
  return { removed: [], added: moved.map((file) => ({ ...file, group: change.group })), replayFrom, seqnoLast }
}
