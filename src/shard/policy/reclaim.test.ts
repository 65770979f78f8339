import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../kernel/ids.ts'
import type { PolicyFile } from './policy.ts'
import { chooseReclaim } from './reclaim.ts'

function file(
  name: string,
  level: number,
  first: number,
  last: number,
  deletions = 0,
  bytes = 100,
): PolicyFile<number> {
  return { name: fileName(name), bytes, entries: 10, deletions, level, first, last, seqnoLast: 1 }
}

function steps(files: readonly PolicyFile<number>[]): readonly (readonly [level: number, ...inputs: string[]])[] {
  const choices = chooseReclaim({ files, changes: [], compare: (a, b) => a - b, settings: {} })
  return choices.map(({ level, inputs }) => [level, ...inputs])
}

test('deletions go down one level, with what they meet there; the smallest step comes first', () => {
  const files = [
    file('a', 1, 1, 9, 10),
    file('b', 1, 20, 29, 1),
    file('x', 3, 2, 8),
    file('y', 3, 20, 40, 0, 1000),
    file('z', 4, 1, 40),
  ]
  assert.deepEqual(steps(files), [
    [3, 'a', 'x'],
    [3, 'b', 'y'],
  ])
})

test('nothing is asked for where there are no deletions, or nothing below them', () => {
  assert.deepEqual(steps([file('a', 1, 1, 9), file('b', 2, 1, 9)]), [])
  assert.deepEqual(steps([file('a', 2, 1, 9, 5), file('b', 1, 1, 9)]), [])
})

test('a file of level 0 takes along what is older there and shares its bounds', () => {
  const newer = { ...file('newer', 0, 1, 5, 5), seqnoLast: 9 }
  const older = { ...file('older', 0, 4, 8), seqnoLast: 8 }
  const apart = { ...file('apart', 0, 20, 30), seqnoLast: 7 }
  assert.deepEqual(steps([newer, older, apart, file('below', 2, 3, 3)]), [[2, 'newer', 'older', 'below']])
})
