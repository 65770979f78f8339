import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../kernel/ids.ts'
import type { PolicyChange, PolicyFile } from './policy.ts'
import { chooseRange } from './range.ts'

let nameNext = 0
function file(level: number, first: number, last: number): PolicyFile<number> {
  return {
    name: fileName(`f${++nameNext}`),
    bytes: 10,
    entries: 1,
    deletions: 0,
    level,
    first,
    last,
    seqnoLast: nameNext,
  }
}

function choose(
  files: readonly PolicyFile<number>[],
  first: number | undefined,
  last: number | undefined,
  changes: readonly PolicyChange[] = [],
): ReturnType<typeof chooseRange> {
  return chooseRange({ files, changes, compare: (a, b) => a - b, settings: undefined }, { first, last }, 5)
}

function inputsOf(choice: ReturnType<typeof chooseRange>): ReadonlySet<string> {
  assert.ok(typeof choice === 'object')
  return new Set(choice.inputs)
}

function namesOf(files: readonly PolicyFile<number>[]): ReadonlySet<string> {
  return new Set(files.map(({ name }) => name))
}

test('a range is rewritten into the deepest level in use, in one merge', () => {
  const files = [file(0, 1, 3), file(1, 2, 5), file(2, 1, 2), file(2, 5, 6)]
  const choice = choose([...files, file(1, 8, 9), file(2, 8, 9)], 1, 2)
  assert.deepEqual(inputsOf(choice), namesOf(files))
  assert.ok(typeof choice === 'object' && choice.level === 2 && choice.type === 'rewrite')
})

test('without deeper levels the range goes to the level that is asked for, even where a move would do', () => {
  const only = file(0, 1, 3)
  assert.deepEqual(choose([only], undefined, undefined), {
    type: 'rewrite',
    inputs: [only.name],
    level: 5,
    bottom: true,
  })
})

test('older files of level 0 come along with the newer ones that hide them, and newer ones need not', () => {
  const [older, chosen, newer] = [file(0, 3, 9), file(0, 1, 4), file(0, 2, 30)]
  assert.deepEqual(inputsOf(choose([older, chosen, file(0, 20, 30)], 1, 2)), namesOf([chosen, older]))
  assert.deepEqual(inputsOf(choose([older, chosen, newer], 1, 1)), namesOf([chosen, older]))
})

test('what is in the deepest level already is left alone', () => {
  assert.equal(choose([file(2, 1, 3), file(1, 8, 9)], 1, 3), undefined)
  assert.equal(choose([], undefined, undefined), undefined)
})

test('a range waits for changes under way', () => {
  const [upper, lower] = [file(1, 1, 3), file(2, 2, 5)]
  assert.equal(choose([upper, lower], 1, 3, [{ inputs: [lower.name], level: 2 }]), 'blocked')
})
