import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderPairs, renderTable } from './text-table.ts'

test('columns are as wide as their widest cell, and numbers stand on the right', () => {
  const lines = renderTable(
    [{ title: 'level' }, { title: 'bytes', align: 'right' }],
    [['L0', '1 B'], ['a longer one', '12.3 MB'], ['short of cells']],
  )
  assert.deepEqual(lines, [
    'level             bytes',
    '──────────────  ───────',
    'L0                  1 B',
    'a longer one    12.3 MB',
    'short of cells',
  ])
})

test('pairs line up their values and put remarks behind them', () => {
  assert.deepEqual(
    renderPairs([
      ['a', '10 B', 'why'],
      ['bcd', '1 B'],
    ]),
    ['a    10 B  why', 'bcd   1 B'],
  )
  assert.deepEqual(renderPairs([]), [])
})
