import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from './row.ts'
import { summarise } from './summary.ts'
import { tableCells } from './text-table.ts'

function row(workload: string, peer: string, perSecond: number, round = 1): Row {
  const rest = { operations: 100, elapsedMs: 1000, digest: 'x', figures: {}, settings: {} }
  return { shape: '1M × 100 B', workload, peer, round, perSecond, ...rest }
}

test('the ratio is of medians, to the fastest peer that persists', () => {
  const [line] = summarise([
    row('readseq', 'varve', 100, 1),
    row('readseq', 'varve', 300, 2),
    row('readseq', 'varve', 9000, 3),
    row('readseq', 'lmdb', 150),
    row('readseq', 'classic-level', 50),
    row('readseq', 'varve-memory', 10_000),
    row('readseq', 'db_bench', 5000),
  ])
  assert.equal(line?.best, 'lmdb')
  assert.equal(line?.ratio, 2)
})

test('a target may name a peer or a limit of the machine', () => {
  const lines = summarise([
    row('limit/fdatasync', 'machine', 10_000),
    row('fillsync/1', 'varve', 8000),
    row('fillsync/1', 'lmdb', 1000),
    row('fillsync/100', 'varve', 100),
    row('fillsync/100', 'classic-level', 50),
    row('fillsync/100', 'lmdb', 200),
  ])
  assert.deepEqual(
    lines.map(({ ratio }) => ratio),
    [0.8, 2],
  )
})

test('a line that misses its target says so', () => {
  const rows = [
    row('put/1', 'varve', 300),
    row('put/1', 'lmdb', 100),
    row('readseq', 'varve', 99),
    row('readseq', 'lmdb', 100),
  ]
  const [, put, scan] = tableCells(summarise(rows), ['varve', 'lmdb'])
  assert.deepEqual(put, ['put/1', '4×', '3.00× no', '300', '100*'])
  assert.deepEqual(scan, ['readseq', '2×', '0.99× NO', '99.0', '100*'])
})
