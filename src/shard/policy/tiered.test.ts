import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../kernel/ids.ts'
import { chooseLazyLeveled } from './lazy-leveled.ts'
import { chooseTiered } from './tiered.ts'
import type { TieredSettings } from './tiered.ts'
import type { PolicyChange, PolicyFile, PolicyInput } from './policy.ts'

let nameNext = 0
function file(level: number, bytes = 10, first = 0, last = 100): PolicyFile<number> {
  return { name: fileName(`f${++nameNext}`), bytes, entries: 1, deletions: 0, level, first, last, seqnoLast: nameNext }
}

function input(
  files: readonly PolicyFile<number>[],
  changes: readonly PolicyChange[] = [],
): PolicyInput<number, TieredSettings> {
  return { files, changes, compare: (a, b) => a - b, settings: { level0Files: 4, tierRuns: 4 } }
}

function namesOf(files: readonly PolicyFile<number>[]): PolicyChange['inputs'] {
  return files.map(({ name }) => name)
}

test('flushed files become the newest run', () => {
  const flushed = [file(0), file(0), file(0), file(0)]
  const inputs = namesOf([...flushed].reverse())
  assert.deepEqual(chooseTiered(input(flushed)), [{ type: 'rewrite', inputs, level: 31, bottom: true }])
  assert.deepEqual(chooseTiered(input([...flushed, file(28, 1000)])), [
    { type: 'rewrite', inputs, level: 27, bottom: false },
  ])
})

test('runs of about the same size are merged as deep as there is room, others are left', () => {
  const tier = [file(20, 40), file(21, 38), file(23, 30), file(24, 44)]
  const others = [file(28, 400), file(31, 1600)]
  assert.deepEqual(chooseTiered(input([...tier, ...others])), [
    { type: 'rewrite', inputs: namesOf(tier), level: 27, bottom: false },
  ])
  assert.deepEqual(chooseTiered(input([...tier.slice(1), ...others])), [])
})

test('a run that has grown by merging is not merged again with those it was made of', () => {
  assert.deepEqual(chooseTiered(input([file(28, 10), file(29, 10), file(30, 10), file(31, 35)])), [])
})

test('runs that do not overlap become one without being rewritten', () => {
  const runs = [file(28, 10, 30, 39), file(29, 10, 20, 29), file(30, 10, 10, 19), file(31, 10, 0, 9)]
  assert.equal(chooseTiered(input(runs))[0]?.type, 'move')
})

test('flushed files that come while others are merged wait for them', () => {
  const flushed = Array.from({ length: 8 }, () => file(0))
  assert.deepEqual(chooseTiered(input(flushed, [{ inputs: namesOf(flushed.slice(0, 4)), level: 31 }])), [])
})

test('beside a merge under way only a smaller one begins', () => {
  const small = [20, 21, 22, 23].map((level) => file(level, 10))
  const large = [26, 27, 28, 29].map((level) => file(level, 100))
  const choose = (busy: readonly PolicyFile<number>[]): readonly (readonly string[])[] =>
    chooseTiered(input([...small, ...large], [{ inputs: namesOf(busy), level: 29 }])).map(({ inputs }) => inputs)
  assert.deepEqual(choose(large), [namesOf(small)])
  assert.deepEqual(choose(small), [])
})

test('where no number is free for a new run, runs move down, and are merged when none can', () => {
  const flushed = [file(0), file(0), file(0), file(0)]
  const [first, second, last] = [file(1, 10), file(2, 100), file(31, 1000)]
  assert.deepEqual(chooseTiered(input([...flushed, first, second, last])), [
    { type: 'move', inputs: [second.name], level: 30, bottom: false },
  ])
  const full = Array.from({ length: 31 }, (_, index) => file(index + 1, 2 ** index))
  assert.deepEqual(chooseTiered(input([...flushed, ...full]))[0]?.inputs, namesOf(full.slice(0, 2)))
})

test('lazy leveling merges all runs with the last when together they are a share of it', () => {
  const [upper, last] = [[file(20, 100), file(25, 151)], file(31, 1000)]
  const [choice] = chooseLazyLeveled(input([...upper, last]))
  assert.deepEqual(choice, { type: 'rewrite', inputs: namesOf([...upper, last]), level: 31, bottom: true })
  assert.deepEqual(chooseLazyLeveled(input([...upper, file(31, 1005)])), [])
})

test('lazy leveling merges the runs above the last as tiers', () => {
  const upper = [20, 21, 22, 23].map((level) => file(level, 10))
  const [choice] = chooseLazyLeveled(input([...upper, file(31, 1000)]))
  assert.deepEqual(choice, { type: 'rewrite', inputs: namesOf(upper), level: 30, bottom: false })
})
