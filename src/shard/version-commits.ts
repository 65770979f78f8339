/**
 * Commits of a shard's files: first to the head, then to the eyes of readers.
 *
 * What a commit has dropped is retired and removed when no view from before is left.
 */

import { assert } from '../kernel/assert.ts'
import { isCode } from '../kernel/errors.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { applyEdit } from './edit.ts'
import type { Edit, ManifestState } from './edit.ts'
import type { FileRemover } from './file-remover.ts'
import type { ManifestLog, Superseded } from './manifest-log.ts'
import type { Engine } from './shard.ts'
import type { TableStack } from './table-stack.ts'
import type { Version, Views } from './version.ts'

export interface VersionParts<Table extends Memtable<never>, Shape> {
  readonly engine: Pick<Engine<never, Table, Shape>, 'shape' | 'retire'>
  readonly manifest: ManifestLog
  readonly views: Views<Table, Shape>
  readonly tables: TableStack<Table>
  readonly remover: FileRemover
}

export class VersionCommits<Table extends Memtable<never>, Shape> {
  readonly #parts: VersionParts<Table, Shape>

  constructor(parts: VersionParts<Table, Shape>) {
    this.#parts = parts
  }

  /**
   * Commits an edit, then shows it to readers. What the engine makes no shape of is not committed: nobody could read it.
   *
   * @param committed runs between the two; returns what to do when no view from before is left
   * @throws {VarveError} what `ManifestLog.commit` and `Engine.shape` throw
   */
  async commit(makeEdit: (manifest: ManifestState) => Edit, committed: () => () => void): Promise<void> {
    const { engine, views, tables, remover } = this.#parts
    const { superseded, version } = await this.#commit(makeEdit)
    const release = committed()
    const { files } = superseded
    views.advance(tables.list(), version, [
      release,
      () => {
        for (const file of files) engine.retire(file)
        remover.remove(files.map((file) => file.ref.name))
      },
    ])
    remover.remove(superseded.manifests)
  }

  /** What was written for a commit that did not fit goes: on a full disk it would be written anew, and stay, each time. */
  async #commit(makeEdit: (manifest: ManifestState) => Edit): Promise<{
    readonly superseded: Superseded
    readonly version: Version<Shape>
  }> {
    const { engine, manifest, remover } = this.#parts
    let edit: Edit | undefined
    let version: Version<Shape> | undefined
    try {
      const superseded = await manifest.commit((state) => {
        edit = makeEdit(state)
        version = undefined
        version = this.#version(applyEdit(state, edit))
        return edit
      })
      assert(version !== undefined, 'a commit without a version')
      return { superseded, version }
    } catch (error) {
      // Of any other failure nobody can say that the head does not refer to them: the next owner finds out.
      if (edit !== undefined && (version === undefined || isCode(error, 'NO_SPACE', 'OUT_OF_FILES'))) {
        const { files } = manifest.state
        const made = edit.added.filter(({ ref }) => !files.has(ref.name))
        for (const file of made) engine.retire(file)
        remover.remove(made.map(({ ref }) => ref.name))
      }
      throw error
    }
  }

  #version(state: ManifestState): Version<Shape> {
    const { engine, views } = this.#parts
    const files = Object.freeze([...state.files.values()])
    return Object.freeze({ files, shape: engine.shape(files, views.current.version.shape) })
  }
}
