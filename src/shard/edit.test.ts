import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VarveError } from '../kernel/errors.ts'
import { epoch, fileName, journalPosition, seqno } from '../kernel/ids.ts'
import { applyEdit, decodeEdit, encodeEdit, snapshotEdit, EMPTY_MANIFEST } from './edit.ts'
import type { Edit } from './edit.ts'
import { decodeHead, encodeHead, failHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'
import type { VersionFile } from './shard.ts'

function file(name: string, group = 0): VersionFile {
  return {
    ref: { name: fileName(name), bytes: 12345, checksum: '00ff00ff00ff00ff' },
    format: { name: 'row', version: 1 },
    group,
    seqnoFirst: seqno(3),
    seqnoLast: seqno(2 ** 53 - 1),
    meta: Uint8Array.of(1, 2, 3),
    view: new Uint8Array(0),
  }
}

const edit: Edit = {
  removed: [fileName('a')],
  added: [file('b'), file('c', 3)],
  replayFrom: journalPosition(77),
  seqnoLast: seqno(9),
}

const head: HeadContent = {
  epoch: epoch(7),
  owner: 'abc',
  commit: 300,
  journal: { name: 'local', version: 1 },
  engine: { name: 'kv', version: 1 },
  identity: { order: 'bytewise' },
  journalState: Uint8Array.of(9, 9),
  base: { name: fileName('base'), bytes: 5, checksum: '0123456789abcdef' },
  deltas: [{ name: fileName('delta'), bytes: 6, checksum: 'fedcba9876543210' }],
  edits: [encodeEdit(edit)],
  pins: [{ name: 'clone', files: [fileName('a')] }],
}

test('an edit is read back as it was written', () => {
  assert.deepEqual(
    decodeEdit(encodeEdit(edit), (reason) => assert.fail(reason)),
    edit,
  )
})

test('a head is read back as it was written', () => {
  assert.deepEqual(decodeHead(encodeHead(head), 'head'), head)
  const young: HeadContent = { ...head, journalState: undefined, base: undefined, deltas: [], edits: [], pins: [] }
  assert.deepEqual(decodeHead(encodeHead(young), 'head'), young)
})

test('an added file replaces one of the same name', () => {
  const before = applyEdit(EMPTY_MANIFEST, { ...edit, removed: [] })
  const moved = applyEdit(before, { ...edit, removed: [], added: [file('b', 5)] })
  assert.equal(moved.files.size, 2)
  assert.equal(moved.files.get(fileName('b'))?.group, 5)
  assert.equal(before.files.get(fileName('b'))?.group, 0, 'earlier states do not change')
})

test('a removed file is in no state from then on, and the files beside it are', () => {
  const before = applyEdit(EMPTY_MANIFEST, { ...edit, removed: [] })
  const after = applyEdit(before, { ...edit, removed: [fileName('b')], added: [file('d')] })
  assert.deepEqual([...after.files.keys()], ['c', 'd'])
  assert.deepEqual([...before.files.keys()], ['b', 'c'])
})

test('one edit can stand for all that led to a state', () => {
  const state = applyEdit(applyEdit(EMPTY_MANIFEST, { ...edit, removed: [] }), {
    ...edit,
    removed: [fileName('b')],
    added: [],
  })
  assert.deepEqual(applyEdit(EMPTY_MANIFEST, snapshotEdit(state)), state)
})

test('a head of a newer format is refused, naming both versions', () => {
  const bytes = encodeHead(head)
  bytes[0] = 3
  assert.throws(
    () => decodeHead(bytes, 'head of x'),
    (error: unknown) => error instanceof VarveError && error.code === 'INCOMPATIBLE' && error.details['found'] === 3,
  )
})

test('damaged edits and heads give typed errors and bounded work', () => {
  const decoders = [
    { bytes: encodeHead(head), decode: (bytes: Uint8Array): unknown => decodeHead(bytes, 'head') },
    {
      bytes: encodeEdit(edit),
      decode: (bytes: Uint8Array): unknown => decodeEdit(bytes, (reason, at) => failHead('edit', reason, at)),
    },
  ]
  for (const { bytes, decode } of decoders) {
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decode(bytes.subarray(0, length)), VarveError, `cut at ${length}`)
    }
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const damaged = bytes.slice()
          for (const [at, value] of changes) damaged[at] = value
          try {
            decode(damaged)
          } catch (error) {
            assert.ok(error instanceof VarveError, String(error))
          }
        },
      ),
    )
  }
})
