/** From what a policy wants to what the manifest records. */

import type { FileName } from '../kernel/ids.ts'
import type { Edit, ManifestState } from './edit.ts'
import type { Change, VersionFile } from './shard.ts'

/** The files a change is about: nobody else may touch them meanwhile. */
export function namesOf(change: Change): readonly FileName[] {
  return change.type === 'rewrite' ? change.inputs : change.files
}

/** @throws {TypeError} the engine, or who called `Shard.apply`, wants to change a file that is not there */
export function requireFiles(change: Change, files: ManifestState['files']): void {
  const missing = namesOf(change).find((name) => !files.has(name))
  if (missing === undefined) return
  throw new TypeError(`the engine chose a ${change.type} of ${missing}, which is no file of this version`)
}

/** @param added what a rewrite has made */
export function toEdit(
  change: Change,
  added: readonly VersionFile[],
  { files, replayFrom, seqnoLast }: ManifestState,
): Edit {
  requireFiles(change, files)
  if (change.type !== 'move') return { removed: namesOf(change), added, replayFrom, seqnoLast }
  const moved = change.files.flatMap((name) => files.get(name) ?? [])
  return { removed: [], added: moved.map((file) => ({ ...file, group: change.group })), replayFrom, seqnoLast }
}
