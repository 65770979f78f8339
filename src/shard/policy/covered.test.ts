import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../kernel/ids.ts'
import { chooseCovered } from './covered.ts'
import type { PolicyChange, PolicyFile, PolicySpan } from './policy.ts'

interface Given {
  readonly covers?: readonly PolicySpan<number>[]
  readonly seqnoLast?: number
}

function file(name: string, level: number, first: number, last: number, given: Given = {}): PolicyFile<number> {
  return { name: fileName(name), bytes: 10, entries: 1, deletions: 0, level, first, last, seqnoLast: 1, ...given }
}

function forgotten(
  files: readonly PolicyFile<number>[],
  given: { seqnoRead?: number; changes?: readonly PolicyChange[] } = {},
): readonly string[] {
  const choices = chooseCovered({
    files,
    changes: given.changes ?? [],
    compare: (a, b) => a - b,
    settings: {},
    seqnoRead: given.seqnoRead ?? Infinity,
  })
  return choices.flatMap(({ inputs }) => inputs).sort()
}

const cover = { covers: [{ first: 10, last: 50 }], seqnoLast: 9 }

test('older files within a deletion are forgotten, those that reach out of it stay', () => {
  const files = [
    file('del', 1, 10, 50, cover),
    file('in', 2, 10, 20),
    file('deep', 6, 30, 50),
    file('out', 3, 45, 51),
    file('beside', 2, 60, 70),
  ]
  assert.deepEqual(forgotten(files), ['deep', 'in'])
})

test('newer files stay, of level 0 those that were flushed later', () => {
  const files = [
    file('del', 0, 10, 50, cover),
    file('before', 0, 12, 13, { seqnoLast: 8 }),
    file('after', 0, 12, 13, { seqnoLast: 10 }),
  ]
  assert.deepEqual(forgotten(files), ['before'])
  assert.deepEqual(forgotten([file('del', 2, 10, 50, cover), file('above', 1, 12, 13), file('same', 2, 60, 61)]), [])
})

test('while somebody reads as of a time before the deletion, nothing is forgotten', () => {
  const files = [file('del', 1, 10, 50, cover), file('in', 2, 10, 20)]
  assert.deepEqual(forgotten(files, { seqnoRead: 8 }), [])
  assert.deepEqual(forgotten(files, { seqnoRead: 9 }), ['in'])
})

test('inputs of changes under way are left to them', () => {
  const files = [file('del', 1, 10, 50, cover), file('in', 2, 10, 20), file('free', 2, 30, 40)]
  const changes = [{ inputs: [fileName('in')], level: 3 }]
  assert.deepEqual(forgotten(files, { changes }), ['free'])
})
