import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawLevels } from './level-drawing.ts'
import type { DrawnTable } from './level-drawing.ts'

function table(bytes: number, keyFirst: string, keyLast: string): DrawnTable {
  return { bytes, keyFirst: Buffer.from(keyFirst), keyLast: Buffer.from(keyLast) }
}

test('every level is a row of boxes as wide as their share, with size, first key and last key', () => {
  const lines = drawLevels(
    [[table(1_000_000, 'f/a', 'm/z')], [], [table(6_000_000, 'f/a', 'f/lib/index.js'), table(2_000_000, 'f/m', 'm/z')]],
    56,
  )
  assert.deepEqual(lines, [
    'L0  1 table, 1.00 MB',
    '    ┌───────────┐',
    '    │ 1.00 MB   │',
    '    │ f/a       │',
    '    │       m/z │',
    '    └───────────┘',
    'L1  empty',
    'L2  2 tables, 8.00 MB',
    '    ┌──────────────────────────────┐┌─────────────────┐',
    '    │ 6.00 MB                      ││ 2.00 MB         │',
    '    │ f/a                          ││ f/m             │',
    '    │               f/lib/index.js ││             m/z │',
    '    └──────────────────────────────┘└─────────────────┘',
  ])
})

test('no line is wider than asked for, however many tables there are, and every table is counted', () => {
  for (const count of [1, 2, 5, 6, 7, 100, 1000]) {
    const level = Array.from({ length: count }, (_, index) =>
      table(1000 + ((index * 7919) % 5000), `key-${index}-first`, `key-${index}-last-with-a-long-name`),
    )
    const lines = drawLevels([level, level], 80)
    for (const line of lines) assert.ok(line.length <= 80, `${count} tables: a line of ${line.length}: ${line}`)
    const [, deep = ''] = lines.filter((line) => line.startsWith('L1') || line.includes(' table')).slice(-2)
    const counted = [...deep.matchAll(/(\d+) tables?/g)].reduce((sum, [, digits]) => sum + Number(digits), 0)
    assert.equal(counted, count, deep)
  }
})

test('empty levels that follow each other share a row', () => {
  const level = [table(1_000_000, 'a', 'b')]
  const titles = drawLevels([level, [], [], [], level, [], level], 40).filter((line) => line.startsWith('L'))
  assert.deepEqual(titles, [
    'L0  1 table, 1.00 MB',
    'L1 to L3  empty',
    'L4  1 table, 1.00 MB',
    'L5  empty',
    'L6  1 table, 1.00 MB',
  ])
})

test('a shard without tables is drawn as an empty level', () => {
  assert.deepEqual(drawLevels([[]], 80), ['L0  empty'])
})

test('boxes of level 0 that stand for several tables name no keys, because tables there overlap', () => {
  const level = Array.from({ length: 50 }, () => table(1000, 'first', 'last'))
  const text = drawLevels([level], 60).join('\n')
  assert.doesNotMatch(text, /first│|last/)
  assert.match(text, /newest first; they may overlap/)
})
