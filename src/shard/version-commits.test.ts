import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { fileName, journalPosition, seqno } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import { EMPTY_MANIFEST, applyEdit } from './edit.ts'
import type { Edit, ManifestState } from './edit.ts'
import type { VersionFile } from './shard.ts'
import { Views } from './version.ts'
import { VersionCommits } from './version-commits.ts'

const file = (name: string): VersionFile =>
  ({ ref: { name: fileName(name), bytes: 1, checksum: '0'.repeat(16) } }) as unknown as VersionFile
const edit = (removed: readonly string[], added: readonly string[]): Edit => ({
  removed: removed.map((name) => fileName(name)),
  added: added.map(file),
  replayFrom: journalPosition(0),
  seqnoLast: seqno(0),
})
const names = (files: readonly VersionFile[]): readonly string[] => files.map(({ ref }) => ref.name)

/** Commits to a manifest that holds `a` and `b`, and that has superseded one of its own files each time. */
function bench(fails?: () => VarveError | undefined, shapeless?: string) {
  const log: string[] = []
  const manifest = {
    state: applyEdit(EMPTY_MANIFEST, edit([], ['a', 'b'])),
    async commit(makeEdit: (state: ManifestState) => Edit) {
      const made = makeEdit(this.state)
      const error = fails?.()
      if (error !== undefined) return Promise.reject(error)
      const files = [...this.state.files.values()].filter(({ ref }) => made.removed.includes(ref.name))
      this.state = applyEdit(this.state, made)
      log.push('head')
      return Promise.resolve({ files, manifests: [fileName('old.manifest')] })
    },
  }
  const views = new Views<never, readonly string[]>([], {
    files: [...manifest.state.files.values()],
    shape: names([...manifest.state.files.values()]),
  })
  const engine = {
    shape: (files: readonly VersionFile[]) => {
      if (names(files).includes(shapeless ?? '')) throw new VarveError('INCOMPATIBLE', 'another format')
      return names(files)
    },
    retire: ({ ref }: VersionFile) => void log.push(`retire ${ref.name}`),
  }
  const remover = {
    remove: (removed: readonly FileName[]) => removed.length > 0 && log.push(`remove ${removed.join()}`),
  }
  const commits = new VersionCommits<never, readonly string[]>({
    engine,
    manifest,
    views,
    tables: { list: () => [] },
    remover,
  } as never)
  const committed = () => {
    log.push('committed')
    return () => void log.push('release')
  }
  return { log, views, commit: (made: Edit) => commits.commit(() => made, committed) }
}

test('what a commit drops is retired and removed once no reader of an older view is left, its manifests at once', async () => {
  const { log, views, commit } = bench()
  const [first, again] = [views.pin(), views.pin()]
  await commit(edit(['a'], ['c']))
  assert.deepEqual(log, ['head', 'committed', 'remove old.manifest'])
  assert.deepEqual(views.current.version.shape, ['b', 'c'])
  assert.deepEqual(first.version.shape, ['a', 'b'], 'the view of a reader does not change')
  views.unpin(first)
  assert.equal(log.length, 3, 'another reader still has it')
  views.unpin(again)
  assert.deepEqual(log.slice(3), ['release', 'retire a', 'remove a'])
})

test('where nobody reads, what a commit drops goes at once, but after the commit', async () => {
  const { log, commit } = bench()
  await commit(edit(['b'], []))
  assert.deepEqual(log, ['head', 'committed', 'release', 'retire b', 'remove b', 'remove old.manifest'])
})

test('a commit that did not fit shows readers nothing, and leaves none of its own files, but those that live', async () => {
  const full = (): VarveError => new VarveError('NO_SPACE', 'full')
  const { log, views, commit } = bench(full)
  await assert.rejects(commit(edit([], ['b', 'c'])), { code: 'NO_SPACE' })
  assert.deepEqual(log, ['retire c', 'remove c'])
  assert.equal(views.current.id, 1)
})

test('of a commit with an unknown outcome nothing is removed: the head may refer to it', async () => {
  const { log, commit } = bench(() => new VarveError('OUTCOME_UNKNOWN', 'who knows'))
  await assert.rejects(commit(edit([], ['c'])), { code: 'OUTCOME_UNKNOWN' })
  assert.deepEqual(log, [])
})

// It was committed, and nobody could open the shard any more; who had it open did not see what was flushed after that.
test('what the engine makes no shape of is not committed, and does not stay', async () => {
  const { log, views, commit } = bench(undefined, 'c')
  await assert.rejects(commit(edit(['a'], ['c'])), { code: 'INCOMPATIBLE' })
  assert.deepEqual(log, ['retire c', 'remove c'])
  await commit(edit(['a'], ['d']))
  assert.deepEqual(views.current.version.shape, ['b', 'd'], 'others are as before')
})
