import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadNative } from '../../src/native/load-native.ts'
import { runPart, runParts } from '../soak/part-processes.ts'
import { DIRECTORY_TABLE } from './composition-table.ts'
import type { SameAnswers } from './same-answers.ts'

const SAME_ANSWERS = new URL('./same-answers.js', import.meta.url)

test('5,000 commands have the same answers under every composition, with faults on', async (context) => {
  const report = await runParts(SAME_ANSWERS, [
    { seed: 1, lists: 80 },
    { seed: 2, lists: 80 },
  ])
  context.diagnostic(JSON.stringify(report))
  assert.ok(Number(report['commands']) >= 5000 && Number(report['retries']) > 2000)
})

test('600 commands have the same answers in directories, with worker threads and without, with the addon and without, with faults on', async (context) => {
  const request = { seed: 3, lists: 19, directories: true }
  const [withAddon, without] = await Promise.all(
    ['1', '0'].map(async (native) => {
      const lines = await runPart(SAME_ANSWERS, request, { env: { VARVE_NATIVE: native } })
      return JSON.parse(lines.at(-1) ?? '{}') as SameAnswers
    }),
  )
  context.diagnostic(JSON.stringify({ withAddon, without }))
  for (const report of [withAddon, without]) {
    assert.ok(report !== undefined && report.commands >= 600 && report.retries > 0)
    assert.equal(report.runs, DIRECTORY_TABLE.length * request.lists)
  }
  if (loadNative() === undefined) context.diagnostic('there is no addon here: both runs were without')
  else assert.equal(withAddon?.withAddon, withAddon?.runs)
  assert.equal(without?.withAddon, 0)
})
