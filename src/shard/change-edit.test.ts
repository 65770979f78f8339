import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName, journalPosition, seqno } from '../kernel/ids.ts'
import { toEdit } from './change-edit.ts'
import type { Change, VersionFile } from './shard.ts'

const [a, b] = [fileName('a'), fileName('b')]
const file = { ref: { name: a }, group: 1 } as unknown as VersionFile
const state = { files: new Map([[a, file]]), replayFrom: journalPosition(7), seqnoLast: seqno(9) }

test('a change keeps where replay begins, moves into the group it names, and removes what it names', () => {
  const moved = toEdit({ type: 'move', files: [a], group: 3 }, [], state)
  assert.deepEqual(moved, { removed: [], added: [{ ...file, group: 3 }], replayFrom: 7, seqnoLast: 9 })
  const dropped = toEdit({ type: 'drop', files: [a] }, [], state)
  assert.deepEqual(dropped, { removed: [a], added: [], replayFrom: 7, seqnoLast: 9 })
})

test('a change of a file that is not there is the mistake of who chose it, and names the file', () => {
  for (const change of [
    { type: 'move', files: [a, b], group: 3 },
    { type: 'drop', files: [b] },
    { type: 'rewrite', inputs: [b] },
  ]) {
    assert.throws(() => toEdit(change as Change, [], state), {
      name: 'TypeError',
      message: new RegExp(`a ${change.type} of b,`),
    })
  }
})
