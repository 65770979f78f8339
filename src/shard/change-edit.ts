/** From what a policy wants to what the manifest records. */

import type { FileName } from '../kernel/ids.ts'
import type { Edit, ManifestState } from './edit.ts'
import type { Change, VersionFile } from './shard.ts'

/** The files a change is about: nobody else may touch them meanwhile. */
export function namesOf(change: Change): readonly FileName[] {
  return change.type === 'rewrite' ? change.inputs : change.files
}

/**
 * The files a change is about, in the order of its names.
 *
 * @throws {TypeError} the engine, or who called `Shard.apply`, wants to change a file that is not there
 */
export function requireFiles(change: Change, files: ManifestState['files']): readonly VersionFile[] {
  return namesOf(change).map((name) => {
    const file = files.get(name)
    if (file !== undefined) return file
    throw new TypeError(`the engine chose a ${change.type} of ${name}, which is no file of this version`)
  })
}

/** @param added what a rewrite has made */
export function toEdit(
  change: Change,
  added: readonly VersionFile[],
  { files, replayFrom, seqnoLast }: ManifestState,
): Edit {
  const changed = requireFiles(change, files)
  if (change.type !== 'move') return { removed: namesOf(change), added, replayFrom, seqnoLast }
  return { removed: [], added: changed.map((file) => ({ ...file, group: change.group })), replayFrom, seqnoLast }
}
