import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../kernel/ids.ts'
import { chooseFifo } from './fifo.ts'
import type { DropChoice, PolicyChange, PolicyFile } from './policy.ts'

let nameNext = 0
function file(level: number, bytes: number, seqnoLast: number, first = 0, last = 9): PolicyFile<number> {
  return { name: fileName(`f${++nameNext}`), bytes, entries: 1, deletions: 0, level, first, last, seqnoLast }
}

function choose(files: readonly PolicyFile<number>[], changes: readonly PolicyChange[] = []): readonly DropChoice[] {
  return chooseFifo({ files, changes, compare: (a, b) => a - b, settings: { fifoBytesMax: 100 } })
}

test('nothing is forgotten up to the size', () => {
  assert.deepEqual(choose([file(0, 50, 1), file(0, 50, 2)]), [])
})

test('the oldest files are forgotten, as many as are too much', () => {
  const files = [file(0, 50, 3), file(0, 30, 1), file(0, 40, 2), file(0, 40, 4)]
  const inputs = [files[1]?.name, files[2]?.name]
  assert.deepEqual(choose(files), [{ type: 'drop', inputs, level: undefined }])
})

test('what another policy left in deeper levels goes before level 0, deepest first', () => {
  const files = [file(0, 90, 1), file(1, 10, 9), file(3, 5, 8, 5, 6), file(3, 5, 7, 2, 3)]
  assert.deepEqual(choose(files)[0]?.inputs, [files[3]?.name, files[2]?.name])
})

test('while a change has the oldest, nothing newer is forgotten', () => {
  const files = [file(0, 90, 2), file(1, 90, 1)]
  const underway = { inputs: [files[1]?.name as PolicyFile<number>['name']], level: 2 }
  assert.deepEqual(choose([...files, file(0, 90, 3)], [underway]), [])
})

test('what a change has is not counted: what will be left of it may be less', () => {
  const files = [file(0, 60, 1), file(0, 60, 2)]
  const underway = { inputs: [files[1]?.name as PolicyFile<number>['name']], level: 1 }
  assert.deepEqual(choose(files, [underway]), [])
  assert.deepEqual(choose(files)[0]?.inputs, [files[0]?.name])
})
