import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../kernel/ids.ts'
import { Layout } from './layout.ts'
import type { PolicyChange, PolicyFile } from './policy.ts'

let nameNext = 0
function file(level: number, first: number, last: number, seqnoLast = ++nameNext): PolicyFile<number> {
  return { name: fileName(`f${++nameNext}`), bytes: 10, entries: 1, deletions: 0, level, first, last, seqnoLast }
}

function change(level: number | undefined, ...inputs: readonly PolicyFile<number>[]): PolicyChange {
  return { inputs: inputs.map(({ name }) => name), level }
}

function layoutOf(files: readonly PolicyFile<number>[], changes: readonly PolicyChange[] = []): Layout<number> {
  return new Layout({ files, changes, compare: (a, b) => a - b, settings: undefined })
}

test('an output may not overlap a file of its level that is no input', () => {
  const [upper, lower] = [file(1, 1, 5), file(2, 5, 9)]
  const layout = layoutOf([upper, lower])
  assert.equal(layout.place([upper], 2), undefined)
  assert.deepEqual(layout.place([upper, lower], 2), {
    type: 'rewrite',
    inputs: [upper.name, lower.name],
    level: 2,
    bottom: true,
  })
})

test('newer data does not pass older data on its way down', () => {
  const [newer, between] = [file(0, 1, 5), file(1, 5, 9)]
  assert.equal(layoutOf([newer, between]).place([newer], 2), undefined)
  assert.notEqual(layoutOf([newer, file(1, 6, 9)]).place([newer], 2), undefined)
})

test('of overlapping files of level 0 the older goes down first, or both', () => {
  const [older, newer] = [file(0, 1, 5), file(0, 3, 9)]
  const layout = layoutOf([older, newer])
  assert.equal(layout.place([newer], 1), undefined)
  assert.equal(layout.place([older], 1)?.type, 'move')
  assert.deepEqual(layout.place([older, newer], 1)?.inputs, [newer.name, older.name])
})

test('a neighbour of the same run may stay above what the output reaches over', () => {
  const [upper, neighbour, lower] = [file(1, 1, 5), file(1, 6, 9), file(2, 4, 8)]
  assert.notEqual(layoutOf([upper, neighbour, lower]).place([upper, lower], 2), undefined)
})

test('an output under way occupies its level between its inputs too', () => {
  const [left, right, lower] = [file(1, 1, 5), file(1, 20, 25), file(2, 4, 22)]
  const arrived = file(1, 10, 12)
  const underway = change(2, left, right, lower)
  assert.equal(layoutOf([left, right, lower, arrived], [underway]).place([arrived], 2), undefined)
  const gap = [left, right, arrived]
  assert.equal(
    layoutOf(gap, [change(2, left, right)]).place([arrived], 2),
    undefined,
    'nothing is there but the output',
  )
})

test('inputs of a change under way are not passed', () => {
  const [upper, lower, newer] = [file(1, 1, 5), file(2, 4, 8), file(0, 2, 3)]
  assert.equal(layoutOf([upper, lower, newer], [change(2, upper, lower)]).place([newer], 3), undefined)
})

test('disjoint inputs move, unless a rewrite is asked for', () => {
  const files = [file(0, 1, 2), file(0, 3, 4), file(1, 5, 6)]
  const layout = layoutOf(files)
  assert.equal(layout.place(files, 1)?.type, 'move')
  assert.equal(layout.place(files, 1, true)?.type, 'rewrite')
})

test('deletions are kept while anything deeper shares bounds', () => {
  const [upper, deep] = [file(1, 1, 5), file(4, 5, 6)]
  assert.equal(layoutOf([upper, deep]).place([upper], 2)?.bottom, false)
  assert.equal(layoutOf([upper, file(4, 6, 7)]).place([upper], 2)?.bottom, true)
})

test('a committed change does not stand in the way of the next', () => {
  const [upper, gone] = [file(1, 1, 5), file(1, 1, 5)]
  assert.notEqual(layoutOf([upper], [change(2, gone)]).place([upper], 2), undefined)
})

test('a file is forgotten only with everything that it hides', () => {
  const [older, newer, elsewhere] = [file(1, 1, 5), file(0, 3, 9), file(1, 10, 12)]
  const layout = layoutOf([older, newer, elsewhere])
  assert.equal(layout.mayDrop([newer]), false)
  assert.equal(layout.mayDrop([older]), true)
  assert.equal(layout.mayDrop([older, newer]), true)
  assert.equal(layoutOf([older, newer], [change(2, older)]).mayDrop([older, newer]), false)
})
