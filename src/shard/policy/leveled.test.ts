import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../kernel/ids.ts'
import { Layout } from './layout.ts'
import { chooseLeveled, leveledTargets } from './leveled.ts'
import type { LeveledSettings } from './leveled.ts'
import type { PolicyChange, PolicyFile, PolicyInput } from './policy.ts'

const settings: LeveledSettings = {
  level0Files: 4,
  level0FilesStop: 12,
  levelBytesBase: 100,
  levelSizeRatio: 10,
  levelCount: 4,
}

let nameNext = 0
function file(level: number, first: number, last: number, bytes = 10, seqnoLast = ++nameNext): PolicyFile<number> {
  return { name: fileName(`f${++nameNext}`), bytes, entries: 1, deletions: 0, level, first, last, seqnoLast }
}

function input(
  files: readonly PolicyFile<number>[],
  changes: readonly PolicyChange[] = [],
): PolicyInput<number, LeveledSettings> {
  return { files, changes, compare: (a, b) => a - b, settings }
}

function targetsOf(files: readonly PolicyFile<number>[]): readonly number[] {
  return leveledTargets(new Layout(input(files)), settings).bytes
}

test('nothing is compacted while every level is within its size', () => {
  assert.deepEqual(chooseLeveled(input([file(0, 1, 9), file(0, 1, 9), file(1, 1, 9, 100)])), [])
})

test('level 0 is compacted as a whole, newest first, with all it overlaps below', () => {
  const flushed = [file(0, 1, 4), file(0, 3, 6), file(0, 5, 8), file(0, 2, 3)]
  const below = [file(1, 0, 0), file(1, 4, 5), file(1, 8, 9), file(1, 10, 11)]
  const [choice] = chooseLeveled(input([...flushed, ...below]))
  const names = [flushed[3], flushed[2], flushed[1], flushed[0], below[1], below[2]].map((each) => each?.name)
  assert.deepEqual(choice, { type: 'rewrite', inputs: names, level: 1, bottom: true })
})

test('of very many files in level 0 the oldest are compacted first', () => {
  const flushed = Array.from({ length: 40 }, () => file(0, 1, 4))
  const [choice] = chooseLeveled(input(flushed))
  assert.deepEqual(new Set(choice?.inputs), new Set(flushed.slice(0, 12).map(({ name }) => name)))
})

test('level 0 is not compacted twice at a time', () => {
  const flushed = Array.from({ length: 10 }, () => file(0, 1, 4))
  const underway = { inputs: flushed.slice(0, 4).map(({ name }) => name), level: 1 }
  assert.deepEqual(chooseLeveled(input(flushed, [underway])), [])
})

test('files that are written in order are never rewritten', () => {
  const flushed = [file(0, 1, 2), file(0, 3, 4), file(0, 5, 6), file(0, 7, 8)]
  assert.equal(chooseLeveled(input(flushed))[0]?.type, 'move')
})

test('when another level is due, the deepest moves down as a whole', () => {
  const full = [file(1, 1, 2, 80), file(1, 3, 4, 80)]
  const names = full.map(({ name }) => name)
  assert.deepEqual(chooseLeveled(input(full)), [{ type: 'move', inputs: names, level: 2, bottom: true }])
  const flushed = Array.from({ length: 4 }, () => file(0, 1, 4))
  const underway = { inputs: names.slice(0, 1), level: 1 }
  assert.deepEqual(chooseLeveled(input([...full, ...flushed], [underway])), [], 'something began that is in its way')
})

test('of the files of a full level the one with the least below it goes first', () => {
  const full = [file(1, 1, 2, 80), file(1, 6, 7, 80)]
  const below = [file(2, 0, 1, 300), file(2, 2, 4, 300), file(2, 5, 6, 90)]
  const [choice] = chooseLeveled(input([...full, ...below]))
  assert.deepEqual(choice?.inputs, [full[1]?.name, below[2]?.name])
})

test('neighbours that share what is below them are compacted together', () => {
  const full = [file(1, 1, 2, 80), file(1, 3, 4, 80), file(1, 5, 6, 80)]
  const below = [file(2, 1, 4, 300), file(2, 5, 6, 300)]
  const [choice] = chooseLeveled(input([...full, ...below]))
  assert.deepEqual(choice?.inputs, [full[0]?.name, full[1]?.name, below[0]?.name])
})

test('a file of deletions counts for what it will free', () => {
  const deleting = { ...file(1, 1, 4, 40), entries: 20, deletions: 20 }
  const below = [
    { ...file(2, 1, 4, 300), entries: 60 },
    { ...file(2, 6, 7, 300), entries: 60 },
  ]
  const other = { ...file(1, 6, 7, 40), entries: 20 }
  // 80 bytes are no reason to compact; 20 deletions of entries of 5 bytes each make it 180.
  assert.deepEqual(chooseLeveled(input([deleting, other, ...below]))[0]?.inputs, [deleting.name, below[0]?.name])
  assert.deepEqual(chooseLeveled(input([{ ...deleting, deletions: 0 }, other, ...below])), [])
})

test('levels have one ratio between the base and all there is', () => {
  assert.deepEqual(targetsOf([file(1, 0, 1, 90)]), [0, Infinity])
  assert.deepEqual(targetsOf([file(2, 0, 1, 900)]), [0, 100, Infinity])
  assert.deepEqual(targetsOf([file(2, 0, 1, 900), file(3, 0, 1, 9100)]), [0, 100, 1000, Infinity])
  assert.deepEqual(targetsOf([file(3, 0, 1, 2500)]), [0, 100, 500, Infinity])
})

test('what lies above the levels that are needed is brought down', () => {
  const files = [file(1, 1, 2), file(9, 1, 2, 300)]
  const targets = leveledTargets(new Layout(input(files)), settings)
  assert.deepEqual([targets.base, targets.last], [8, 9])
  assert.deepEqual(chooseLeveled(input(files)), [{ type: 'move', inputs: [files[0]?.name], level: 8, bottom: false }])
})

test('a level that a change under way writes into between its inputs is left alone there', () => {
  const below = [file(2, 1, 2, 500)]
  const [left, arrived, right] = [file(1, 1, 2, 80), file(1, 5, 6, 200), file(1, 9, 10, 80)]
  const underway = { inputs: [left, right, ...below].map(({ name }) => name), level: 2 }
  assert.deepEqual(chooseLeveled(input([left, arrived, right, ...below], [underway])), [])
  assert.deepEqual(chooseLeveled(input([left, arrived, right, ...below]))[0]?.inputs, [arrived.name])
})
