/** Error loops: every operation of the disk, five errors, once and sticky; every sync on three kinds of file system. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runParts } from '../soak/part-processes.ts'

const PART = new URL('./loop-part.js', import.meta.url)

test('every operation of the disk fails with five errors, once and from then on', async (context) => {
  const report = await runParts(PART, [
    { first: 0, step: 2 },
    { first: 1, step: 2 },
  ])
  context.diagnostic(JSON.stringify(report))
  assert.ok((report['runs'] as number) > 3000)
})

test('every sync fails on three kinds of file system, once and from then on', async (context) => {
  const report = await runParts(PART, [
    { first: 0, step: 2, syncs: true },
    { first: 1, step: 2, syncs: true },
  ])
  context.diagnostic(JSON.stringify(report))
  assert.ok((report['runs'] as number) > 200 && (report['resumed'] as number) > 0)
})
