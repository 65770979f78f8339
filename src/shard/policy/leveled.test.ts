import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fileName } from '../../kernel/ids.ts'
import { chooseLeveled, chooseLeveledRange, levelTargets } from './leveled.ts'
import type { LeveledFile, LeveledInput, LeveledSettings } from './leveled.ts'

const settings: LeveledSettings = {
  level0Files: 4,
  level0FilesStop: 12,
  levelBytesBase: 100,
  levelSizeRatio: 10,
  levelCount: 4,
}

let nameNext = 0
function file(level: number, first: number, last: number, bytes = 10, seqnoLast = ++nameNext): LeveledFile<number> {
  return { name: fileName(`f${++nameNext}`), bytes, level, first, last, seqnoLast }
}

function input(
  files: readonly LeveledFile<number>[],
  running: readonly LeveledFile<number>[] = [],
): LeveledInput<number> {
  return { files, running: new Set(running.map(({ name }) => name)), compare: (a, b) => a - b, settings }
}

test('nothing is compacted while every level is within its size', () => {
  assert.deepEqual(chooseLeveled(input([file(0, 1, 9), file(0, 1, 9), file(1, 1, 9, 100 - 1)])), [])
})

test('level 0 is compacted as a whole, newest first, with all it overlaps below', () => {
  const flushed = [file(0, 1, 4), file(0, 3, 6), file(0, 5, 8), file(0, 2, 3)]
  const below = [file(1, 0, 0), file(1, 4, 5), file(1, 8, 9), file(1, 10, 11)]
  const [choice] = chooseLeveled(input([...flushed, ...below]))
  const names = [flushed[3], flushed[2], flushed[1], flushed[0], below[1], below[2]].map((each) => each?.name)
  assert.deepEqual(choice, { type: 'rewrite', inputs: names, level: 1, bottom: true })
})

test('level 0 is not compacted twice at a time', () => {
  const flushed = [file(0, 1, 4), file(0, 3, 6), file(0, 5, 8), file(0, 2, 3), file(0, 2, 3), file(0, 2, 3)]
  assert.deepEqual(chooseLeveled(input(flushed, flushed.slice(0, 1))), [])
})

test('a table with nothing below it moves without being rewritten', () => {
  const full = [file(1, 1, 2, 80), file(1, 3, 4, 80)]
  const [choice] = chooseLeveled(input(full))
  assert.equal(choice?.type, 'move')
  assert.equal(choice?.level, 2)
})

test('of the tables of a full level the one with the least below it goes first', () => {
  const full = [file(1, 1, 2, 80), file(1, 3, 4, 80)]
  const below = [file(2, 0, 1, 500), file(2, 2, 2, 300), file(2, 3, 5, 90)]
  const [choice] = chooseLeveled(input([...full, ...below]))
  assert.deepEqual(choice?.inputs, [full[1]?.name, below[2]?.name])
})

test('deletions are kept while a deeper level has anything in the bounds', () => {
  const full = [file(1, 1, 2, 80), file(1, 3, 4, 80)]
  const below = [file(2, 1, 2, 10), file(2, 3, 4, 10), file(3, 2, 3, 2000)]
  const [choice] = chooseLeveled(input([...full, ...below]))
  assert.equal(choice?.bottom, false)
})

test('targets follow the deepest level down to the base size', () => {
  const levels = [[], [file(1, 0, 1)], [file(2, 0, 1)], [file(3, 0, 1, 5000)]]
  assert.deepEqual(levelTargets(levels, settings), [Infinity, 100, 500, Infinity])
})

test('a range compaction of level 0 takes along every table it overlaps, and those they overlap', () => {
  const flushed = [file(0, 1, 3), file(0, 3, 5), file(0, 5, 7), file(0, 20, 30)]
  const choice = chooseLeveledRange(input(flushed), 0, 1, 2)
  assert.ok(typeof choice === 'object')
  assert.deepEqual(new Set(choice.inputs), new Set(flushed.slice(0, 3).map(({ name }) => name)))
})

test('whatever is chosen leaves levels disjoint and newer data above older', () => {
  const level0 = fc.array(fc.tuple(fc.nat(50), fc.nat(20)), { maxLength: 12 })
  const deeper = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3), fc.integer({ min: 5, max: 300 })), {
    maxLength: 30,
  })
  const run = fc.tuple(fc.integer({ min: 1, max: 3 }), deeper)
  fc.assert(
    fc.property(level0, fc.array(run, { maxLength: 3 }), fc.nat(5), (flushed, runs, runningCount) => {
      const files = flushed.map(([first, width]) => file(0, first, first + width))
      const taken = new Set<number>()
      for (const [level, tables] of runs) {
        if (taken.has(level)) continue
        taken.add(level)
        let at = 0
        for (const [gap, width, bytes] of tables) {
          files.push(file(level, at + gap, at + gap + width, bytes))
          at += gap + width + 1
        }
      }
      const running = files.filter((each) => each.level > 0).slice(0, runningCount)
      for (const choice of chooseLeveled(input(files, running))) {
        const inputs = files.filter((each) => choice.inputs.includes(each.name))
        assert.ok(!inputs.some((each) => running.includes(each)), 'an input is in use')
        const first = Math.min(...inputs.map((each) => each.first))
        const last = Math.max(...inputs.map((each) => each.last))
        const upperLevel = Math.min(...inputs.map((each) => each.level))
        for (const other of files) {
          if (inputs.includes(other)) continue
          const overlapping = other.first <= last && other.last >= first
          if (other.level === choice.level) assert.ok(!overlapping, 'the output would overlap its level')
          if (other.level > choice.level && choice.bottom) assert.ok(!overlapping, 'the bottom has something below')
          if (other.level === 0 && upperLevel === 0) {
            assert.ok(
              !inputs.some((each) => each.level === 0 && each.first <= other.last && each.last >= other.first),
              'older or newer data is left in level 0',
            )
          }
        }
      }
    }),
    { numRuns: 300 },
  )
})
