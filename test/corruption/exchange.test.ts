/** Two databases made by the same recipe: what one answers is never a value of the other, whatever files are exchanged. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byGroups, oneByOne, roleOf } from './exchange.ts'
import { makeSharedLogSpecimens, makeSpecimens } from './specimen.ts'
import type { Specimen } from './specimen.ts'
import { casesOf, describeReport, sweep } from './sweep.ts'

const [OURS, THEIRS] = [
  { sign: '-', seed: 100 },
  { sign: '+', seed: 200 },
]
const pairs = paired(await makeSpecimens(OURS), await makeSpecimens(THEIRS))
const pairsOverSharedLogs = paired(await makeSharedLogSpecimens(OURS), await makeSharedLogSpecimens(THEIRS))

function paired(ours: readonly Specimen[], theirs: readonly Specimen[]): readonly (readonly [Specimen, Specimen])[] {
  return ours.map((specimen, index) => [specimen, theirs[index] as Specimen])
}

test('databases made by the same recipe have files of the same roles, and no table, segment, fence or witness of one name', () => {
  for (const [one, other] of pairs) {
    assert.deepEqual([...one.image.keys()].map(roleOf).sort(), [...other.image.keys()].map(roleOf).sort())
    const shared = [...one.image.keys()].filter((name) => other.image.has(name))
    assert.deepEqual(
      shared.filter((name) => !/^heads\/|^lock$/.test(name)),
      [],
    )
  }
})

for (const [how, exchanges] of [
  ['one at a time', oneByOne],
  ['by groups', byGroups],
] as const) {
  test(`no file of another database passes for ours: ${how}`, async (context) => {
    const report = { tallies: new Map(), failures: [] }
    for (const [one, other] of pairs) await sweep(one, exchanges(one, other), { thoroughEvery: 9 }, report)
    for (const line of describeReport(report)) context.diagnostic(line)
    assert.deepEqual(report.failures, [])
    for (const kind of ['fence', 'log']) assert.equal(report.tallies.get(kind)?.whole, 0, `a ${kind} passed for ours`)
    assert.ok(casesOf(report) > 15, `only ${casesOf(report)} cases`)
  })
}

test('no file of another shared log passes for ours', async (context) => {
  const report = { tallies: new Map(), failures: [] }
  for (const [one, other] of pairsOverSharedLogs) await sweep(one, oneByOne(one, other), { thoroughEvery: 3 }, report)
  for (const line of describeReport(report)) context.diagnostic(line)
  assert.deepEqual(report.failures, [])
  for (const kind of ['fence', 'log'])
    assert.equal(report.tallies.get(`${kind} of a shared log`)?.whole, 0, `a ${kind} passed for ours`)
  assert.ok(casesOf(report) > 5, `only ${casesOf(report)} cases`)
})
