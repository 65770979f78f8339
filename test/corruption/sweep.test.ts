/** A small part of the corruption sweep, the same every time; `sweep.extra.ts` has the rest. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAMAGES } from './damage.ts'
import { examine } from './examination.ts'
import { makeSharedLogSpecimens, makeSpecimens } from './specimen.ts'
import { casesOf, describeReport, sweep } from './sweep.ts'

// How many of how many cases: all of what there is little of.
const STEPS: Readonly<Record<string, number>> = {
  'a bit of every byte': 211,
  'every length': 223,
  'sectors wiped': 7,
  'sectors swapped': 97,
  'files replaced by older ones': 5,
  'files deleted': 1,
}

for (const [kind, step] of Object.entries(STEPS)) {
  test(`whatever happens to stored bytes, answers are as before or errors are typed: ${kind}`, async (context) => {
    const report = { tallies: new Map(), failures: [] }
    for (const specimen of [...(await makeSpecimens()), ...(await makeSharedLogSpecimens())]) {
      await sweep(specimen, DAMAGES[kind]?.(specimen) ?? [], { step, thoroughEvery: 4 }, report)
    }
    for (const line of describeReport(report)) context.diagnostic(line)
    assert.deepEqual(report.failures, [])
    assert.ok(casesOf(report) > 10)
    const detected = [...report.tallies.values()].reduce((sum, tally) => sum + tally.detected, 0)
    assert.ok(detected > 0, 'no damage was noticed: the test does not test')
  })
}

test('every kind of file is among what is damaged', async () => {
  const specimens = [...(await makeSpecimens()), ...(await makeSharedLogSpecimens())]
  const paths = specimens.flatMap((specimen) => specimen.paths).join(' ')
  for (const kind of [
    /heads\/main\.head-/,
    /\.table/,
    /\.manifest/,
    /\.log/,
    /journal\/main\/fence/,
    /journal\/main\/synced/,
    /log\/shared\/\d+-\d+-\d+\.log/,
    /log\/shared\/fence/,
    /log\/shared\/synced/,
    /state\/shared\.head-/,
    /\block\b/,
  ]) {
    assert.match(paths, kind)
  }
})

test('a database whose answers are not those of the specimen fails the examination', async () => {
  const [closed, killed] = await makeSpecimens()
  assert.ok(closed !== undefined && killed !== undefined)
  assert.equal(await examine(closed, closed.image, true), 'whole')
  await assert.rejects(examine(closed, killed.image, false), /wrong answer/)
  const older = new Map([...(closed.contents[0] as ReadonlyMap<string, string>)].slice(1))
  await assert.rejects(examine({ ...closed, contents: [older] }, closed.image, false), /wrong answer/)
})
