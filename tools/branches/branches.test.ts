import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { executionCounts } from '../sometimes/execution-counts.ts'
import { readText } from '../repository.ts'
import { branchCoverage } from './branch-coverage.ts'
import { BRANCH_GROUPS } from './branch-groups.ts'
import { branchesOf } from './branches.ts'
import { UNTAKEABLE } from './untakeable.ts'

const TEXT = [
  'function f(a) {',
  '  if (a) return 1',
  '  try { g() } catch { h() }',
  '  for (const x of a) x || y',
  '  switch (a) { case 1: z() }',
  '  return a ? b : c',
  '}',
].join('\n')

test('every way on is a branch: bodies, both sides of conditions, right sides, cases and catches', () => {
  const kinds = branchesOf('a.js', TEXT).map(({ at, whole }) => (whole ?? at).id)
  assert.deepEqual(
    kinds.map((id) => id.replace(/:(\d+):\d+/, ' $1')),
    [
      'a.js 1 function',
      'a.js 2 if',
      'a.js 2 else',
      'a.js 3 catch',
      'a.js 4 loop',
      'a.js 4 ||',
      'a.js 5 case',
      'a.js 6 ?',
      'a.js 6 :',
    ],
  )
})

test('the key of a branch says what divides where, and stays while the lines around it move', () => {
  const keys = (text: string): readonly string[] => branchesOf('a.js', text).map(({ key }) => key)
  assert.deepEqual(keys('function f(a) { if (a && a.b) return 1; if (a && a.b) return 2 }').slice(1, 4), [
    'a.js if in f: a && a.b',
    'a.js else in f: a && a.b',
    'a.js && in f: a && a.b',
  ])
  assert.ok(
    keys('function f(a) { if (a && a.b) return 1; if (a && a.b) return 2 }').includes('a.js if in f: a && a.b 2'),
  )
  assert.deepEqual(
    keys(TEXT),
    keys(TEXT.replace('{', '{\n // a line more')).map((key) => key.replace('\n', '')),
  )
})

test('what is listed as not to be taken is in the code, and is counted as wrong where it was taken', () => {
  const files = new Set([...UNTAKEABLE.keys()].map((key) => key.split(' ')[0] ?? ''))
  const keys = new Set(
    [...files].flatMap((file) => branchesOf(file, readText(`build/src/${file}`)).map(({ key }) => key)),
  )
  assert.deepEqual(
    [...UNTAKEABLE.keys()].filter((key) => !keys.has(key)),
    [],
  )

  const directory = mkdtempSync(join(tmpdir(), 'varve-branches-'))
  try {
    const file = 'kernel/varint.js'
    const text = readText(`build/src/${file}`)
    const functions = [{ ranges: [{ startOffset: 0, endOffset: text.length, count: 1 }] }]
    const result = [{ url: `file:///x/build/src/${file}`, functions }]
    writeFileSync(join(directory, '1.json'), JSON.stringify({ result }))
    const taken = branchesOf(file, text)[0]?.key ?? ''
    const untaken = branchesOf('kernel/codec.js', readText('build/src/kernel/codec.js'))[0]?.key ?? ''
    const listed = new Map([taken, untaken, 'kernel/varint.js if in nowhere: true'].map((key) => [key, 'a reason']))
    const { groups, wrong } = branchCoverage(directory, listed)
    assert.deepEqual(wrong, ['is not there any more: kernel/varint.js if in nowhere: true', `can be taken: ${taken}`])
    const without = branchCoverage(directory, new Map()).groups[0]
    assert.deepEqual([groups[0]?.listed, groups[0]?.of], [2, (without?.of ?? 0) - 2])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('what the compiler puts before a module is not counted', () => {
  const helper = 'var __rewriteRelativeImportExtension = (this && this.x) || function (a) { if (a) return 1 }'
  assert.deepEqual(branchesOf('a.js', `${helper}\nif (a) b()`).length, 2)
})

test('of ranges within each other the innermost counts, all processes together, and an else that is not written is what is left', () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-branches-'))
  try {
    const inside = TEXT.indexOf('return 1')
    const script = (count: number, taken: number) => ({
      url: 'file:///x/build/src/a.js',
      functions: [
        { ranges: [{ startOffset: 0, endOffset: TEXT.length, count }] },
        { ranges: [{ startOffset: inside, endOffset: inside + 8, count: taken }] },
      ],
    })
    writeFileSync(join(directory, '1.json'), JSON.stringify({ result: [script(3, 1)] }))
    writeFileSync(
      join(directory, '2.json'),
      JSON.stringify({ result: [script(2, 2), { ...script(9, 9), url: 'node:fs' }] }),
    )
    const branches = branchesOf('a.js', TEXT)
    const [then, otherwise] = [branches[1], branches[2]]
    assert.ok(then !== undefined && otherwise?.whole !== undefined)
    const [taken = 0, , whole = 0] = executionCounts(directory, [then.at, otherwise.at, otherwise.whole])
    assert.deepEqual([taken, whole, whole - taken], [3, 5, 2])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('every file is in a group, and what is named for a group is there', () => {
  const groupOf = (file: string): string | undefined => BRANCH_GROUPS.find(({ holds }) => holds(file))?.name
  assert.equal(groupOf('journal/fence.js'), 'fencing')
  assert.equal(groupOf('journal/local-journal.js'), 'the rest of the engine')
  assert.equal(groupOf('rpc/server.js'), 'command line, remote parts, composition')
})
