import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMPOSITION_TABLE } from './composition-table.ts'
import { checkSameAnswers } from './same-answers.ts'
import { VersionedMap } from './versioned-map.ts'

test('the same commands have the same answers under every composition, with faults that are worth another try', async (context) => {
  const report = await checkSameAnswers({ seed: 1, lists: 3 })
  context.diagnostic(JSON.stringify(report))
  assert.ok(COMPOSITION_TABLE.length >= 24 && report.retries > 0)
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
