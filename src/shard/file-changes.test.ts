import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName, journalPosition, seqno } from '../kernel/ids.ts'
import type { Seqno } from '../kernel/ids.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import type { Edit, ManifestState } from './edit.ts'
import { FileChanges } from './file-changes.ts'
import { PinnedSeqnos } from './pinned-seqnos.ts'
import type { Change, JobPlan, VersionFile } from './shard.ts'

const [a, b] = [fileName('a'), fileName('b')]
const fileOf = (name: string): VersionFile =>
  ({ ref: { name, bytes: 10, checksum: '' }, group: 0 }) as unknown as VersionFile

/** Everything that is asked for, in order. */
function bench(space: { full: boolean } = { full: false }) {
  const log: string[] = []
  const pins = new PinnedSeqnos()
  const state = { files: new Map([[a, fileOf(a)]]), replayFrom: journalPosition(5), seqnoLast: seqno(3) }
  const edits: Edit[] = []
  let chosen: readonly Change[] = []
  const say = (what: string) => (void log.push(what), Promise.resolve())
  const tables = { frozenCount: 0, shift: () => void log.push('shift') }
  const parts = {
    engine: {
      choose: () => chosen,
      flush: (_: unknown, seqnos: readonly Seqno[]) => (log.push(`plan flush ${seqnos.join()}`), []),
      rewrite: (_: unknown, __: unknown, seqnos: readonly Seqno[]) => (log.push(`plan rewrite ${seqnos.join()}`), []),
    },
    clock: new SimulatedClock(),
    jobs: {
      run: (_: readonly JobPlan[], seqnos: readonly Seqno[]) => (log.push(`run ${seqnos.join()}`), Promise.resolve([])),
    },
    journal: { truncate: (position: number) => say(`truncate ${position}`) },
    rungs: { secureReplaced: () => say('secure') },
    manifest: { state },
    commits: {
      async commit(makeEdit: (manifest: ManifestState) => Edit, committed: () => () => void) {
        await say('commit')
        const edit = makeEdit(state)
        edits.push(edit)
        state.replayFrom = edit.replayFrom
        const release = committed()
        log.push('shown')
        release()
      },
    },
    tables,
    views: { current: { version: { shape: undefined, files: [] } } },
    pins,
    space,
  }
  const host = { committed: () => void log.push('committed'), truncated: () => void log.push('truncated') }
  const choose = (changes: readonly Change[]): void => void (chosen = changes)
  return { log, pins, edits, tables, choose, changes: new FileChanges<never, undefined>(parts as never, host) }
}

test('what readers hold is told to the plans and to the jobs, of flushes and of rewrites', async () => {
  const { log, pins, changes } = bench()
  for (const each of [7, 4]) pins.pin(seqno(each))
  await changes.writeFiles({ table: undefined } as never)
  await changes.rewriteFiles({ type: 'rewrite', inputs: [a] } as never)
  assert.deepEqual(log, ['plan flush 4,7', 'run 4,7', 'plan rewrite 4,7', 'run 4,7'])
})

test('a flush is committed once the journal is secured, and only then is the journal truncated and memory let go', async () => {
  const { log, edits, changes } = bench()
  const table = { release: () => void log.push('release') }
  const slot = { table, positionLimit: journalPosition(50), seqnoLast: seqno(9) }
  await changes.commitFlush(slot as never, [fileOf(b)])
  const order = ['secure', 'commit', 'shift', 'shown', 'release', 'committed', 'truncate 50', 'truncated']
  assert.deepEqual(log, order)
  assert.deepEqual(edits, [{ removed: [], added: [fileOf(b)], replayFrom: 50, seqnoLast: 9 }])
  assert.equal(changes.counted.flushes, 1)
})

test('a rewrite of a file that is not there begins no job', async () => {
  const { log, changes } = bench()
  await assert.rejects(changes.rewriteFiles({ type: 'rewrite', inputs: [b] } as never), { name: 'TypeError' })
  assert.deepEqual(log, [])
})

test('on a full disk there is one rewrite at a time, and none while memtables wait to be flushed', () => {
  const space = { full: true }
  const { tables, choose, changes } = bench(space)
  const move: Change = { type: 'move', files: [a], group: 1 }
  const rewrite: Change = { type: 'rewrite', inputs: [b], group: 1, parameters: undefined }
  choose([move, rewrite])
  const idle = { running: new Set<never>(), changes: [] }
  assert.deepEqual(changes.choose(idle), [move, rewrite])
  assert.deepEqual(changes.choose({ ...idle, changes: [rewrite] }), [move])
  tables.frozenCount = 1
  assert.deepEqual(changes.choose(idle), [move])
  space.full = false
  assert.deepEqual(changes.choose(idle), [move, rewrite])
})
