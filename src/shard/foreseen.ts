/**
 * What a head says of the files, read before it is changed: who cannot read it must not become the owner.
 *
 * Opening used to find out only when it was: a process of an older version fenced the owner of a newer one, and then could
 * not go on itself.
 */

import { isCode } from '../kernel/errors.ts'
import type { Memtable } from '../memtable/memtable.ts'
import type { ManifestState } from './edit.ts'
import type { HeadContent } from './head-content.ts'
import { loadManifest } from './manifest.ts'
import type { Engine, ShardComponents } from './shard.ts'
import { sourceOf } from './stored-head.ts'

export interface Foreseen<Shape> {
  readonly manifest: ManifestState
  readonly shape: Shape
  /** Those of the head: what was found in the same ones need not be looked for again. */
  readonly edits: HeadContent['edits']
}

/**
 * @returns undefined where it cannot be told yet: an owner that goes on may have removed what was to be read
 * @throws {VarveError} INCOMPATIBLE, WRONG_KEY
 */
export async function foresee<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  engine: Engine<Operation, Table, Shape>,
  content: HeadContent | undefined,
): Promise<Foreseen<Shape> | undefined> {
  if (content === undefined) return undefined
  try {
    const manifest = await loadManifest(content, components.files, components.hash, sourceOf(components))
    return { manifest, shape: engine.shape([...manifest.files.values()], undefined), edits: content.edits }
  } catch (error) {
    if (isCode(error, 'INCOMPATIBLE', 'WRONG_KEY')) throw error
    return undefined
  }
}
