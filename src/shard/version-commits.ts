/**
 * Commits of a shard's files: first to the head, then to the eyes of readers.
 *
 * What a commit has dropped is retired and removed when no view from before is left.
 */

import type { Memtable } from '../memtable/memtable.ts'
import type { Edit, ManifestState } from './edit.ts'
import type { FileRemover } from './file-remover.ts'
import type { ManifestLog } from './manifest-log.ts'
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
   * Commits an edit, then shows it to readers.
   *
   * @param committed runs between the two; returns what to do when no view from before is left
   * @throws {VarveError} what `ManifestLog.commit` throws
   */
  async commit(makeEdit: (manifest: ManifestState) => Edit, committed: () => () => void): Promise<void> {
    const { engine, manifest, views, tables, remover } = this.#parts
    const superseded = await manifest.commit(makeEdit)
    const release = committed()
    const { files } = superseded
    views.advance(tables.list(), this.#version(), [
      release,
      () => {
        for (const file of files) engine.retire(file)
        remover.remove(files.map((file) => file.ref.name))
      },
    ])
    remover.remove(superseded.manifests)
  }

  #version(): Version<Shape> {
    const { engine, manifest, views } = this.#parts
    const files = Object.freeze([...manifest.state.files.values()])
    return Object.freeze({ files, shape: engine.shape(files, views.current.version.shape) })
  }
}
