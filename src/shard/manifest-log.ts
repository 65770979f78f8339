/** The manifest of an open shard: its state, and the commits that change it. */

import { Mutex } from 'async-mutex'
import { applyEdit } from './edit.ts'
import type { Edit, ManifestState } from './edit.ts'
import type { Committer } from './committer.ts'
import { manifestName } from './file-names.ts'
import { extendLog, manifestFiles } from './manifest.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import type { FileStore } from '../fs/fs.ts'
import type { VersionFile } from './shard.ts'

/** What a commit has made superfluous. */
export interface Superseded {
  /** Files of the version before that are not in the one after. */
  readonly files: readonly VersionFile[]
  /** Manifest files that the head no longer refers to. */
  readonly manifests: readonly FileName[]
}

export class ManifestLog {
  readonly #shard: ShardId
  readonly #files: FileStore
  readonly #committer: Committer
  #state: ManifestState
  /** An edit is made of the state that the one before it left; the committer's turn ends before that is known here. */
  readonly #turn = new Mutex()
  #nameNext = 1

  constructor(shard: ShardId, files: FileStore, committer: Committer, state: ManifestState) {
    this.#shard = shard
    this.#files = files
    this.#committer = committer
    this.#state = state
  }

  /** What was committed last. */
  get state(): ManifestState {
    return this.#state
  }

  /**
   * Commits the edit that `makeEdit` makes of the state at that time.
   *
   * @throws {VarveError} FENCED, OUTCOME_UNKNOWN, NO_SPACE, and what the stores throw; the state is as before then
   */
  commit(makeEdit: (state: ManifestState) => Edit): Promise<Superseded> {
    return this.#turn.runExclusive(() => this.#commit(makeEdit))
  }

  async #commit(makeEdit: (state: ManifestState) => Edit): Promise<Superseded> {
    let next = this.#state
    let manifests: readonly FileName[] = []
    await this.#committer.commit(async (head) => {
      const edit = makeEdit(this.#state)
      next = applyEdit(this.#state, edit)
      const log = await extendLog(head, edit, next, this.#files, () => this.#nextName())
      const kept = new Set(manifestFiles(log).map((ref) => ref.name))
      manifests = manifestFiles(head).flatMap((ref) => (kept.has(ref.name) ? [] : [ref.name]))
      return { base: log.base, deltas: log.deltas, edits: log.edits }
    })
    const files = [...this.#state.files.values()].filter((file) => !next.files.has(file.ref.name))
    this.#state = next
    return { files, manifests }
  }

  #nextName(): FileName {
    return manifestName(this.#shard, this.#committer.content, this.#nameNext++)
  }
}
