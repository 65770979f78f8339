import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSameAnswers } from './same-answers.ts'
import { SETTINGS_TABLE } from './settings-table.ts'
import { VersionedMap } from './versioned-map.ts'

test('the same commands have the same answers under 25 settings, with faults that are worth another try', async (context) => {
  const report = await checkSameAnswers(4)
  context.diagnostic(JSON.stringify(report))
  assert.ok(Object.keys(SETTINGS_TABLE).length >= 24 && report.retries > 0)
})

test('the model keeps every version of every key', () => {
  const model = new VersionedMap()
  model.write([['a', '1']])
  model.write([
    ['a', '2'],
    ['b', '2'],
  ])
  model.deleteRange('a', 'b')
  assert.deepEqual(
    [1, 2, 3].map((version) => model.scan('', '~', version)),
    [['a=1'], ['a=2', 'b=2'], ['b=2']],
  )
  assert.equal(model.get('a', 0), undefined)
})
