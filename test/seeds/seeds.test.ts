/** The whole system under a few seeds; more of them in seeds.extra.ts, all you like with `npm run soak`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { History } from './history.ts'
import { RecordedCalls } from './recorded-calls.ts'
import { runSeed } from './seed-run.ts'
import { checkSameHistories } from './same-history.ts'

test('under faults, kills, power cuts and takeovers no acknowledged write is lost, and all is well afterwards', async (context) => {
  let [rejected, events] = [0, 0]
  for (let seed = 1; seed <= 12; seed++) {
    const report = await runSeed(seed)
    rejected += report.rejected
    events += report.events
  }
  context.diagnostic(`seeds 1 to 12: ${events} events, ${rejected} calls rejected`)
  assert.ok(rejected > 20)
})

test('no call waits for ever: not for a compaction after one that failed, not for memtables that a full disk has taken back', async () => {
  // Each once did.
  for (const seed of [1285, 1408]) assert.ok((await runSeed(seed)).writes > 0)
})

test('what was acknowledged stays in sight while the memtables are made anew after a write that was refused', async () => {
  // A flush that was committed meanwhile once showed readers the new memtable before it was whole.
  assert.ok((await runSeed(2669, { rounds: 1, calls: 12 })).writes > 0)
})

test('one seed is one history, in two processes of another time zone, heap and order of seeds', () =>
  checkSameHistories(101, 5, 1))

test('the oracle refuses a write that is lost, one that was taken back, and a batch that is half there', () => {
  const history = new History()
  const changes = (value: string): Map<string, string> =>
    new Map([
      ['a', value],
      ['b', value],
    ])
  history.acknowledge(history.call(changes('1')), true)
  history.acknowledge(history.call(changes('2')), false)
  const refused = history.call(changes('3'))
  refused.state = 'refused'
  assert.ok(history.mayRead(0, 'a', '1') && history.mayRead(history.floor, 'a', '2'))
  assert.ok(!history.mayRead(history.floor, 'a', '1') && !history.mayRead(0, 'a', '3'))
  assert.throws(() => history.recovered(changes('1'), 'kill', 'kill'), /no state/)
  assert.throws(() => history.recovered(new Map(), 'power cut', 'cut'), /no state/)
  assert.throws(() => history.recovered(new Map([...changes('1'), ['b', '2']]), 'power cut', 'cut'), /no state/)
  assert.throws(() => history.recovered(changes('3'), 'power cut', 'cut'), /no state/)
  history.recovered(changes('1'), 'power cut', 'cut')
})

test('calls of which no order explains the answers are refused', () => {
  const recorded = new RecordedCalls()
  recorded.restart(new Map([['a', '1']]))
  const [put, cut] = [
    recorded.begin({ type: 'put', key: 'a', value: '2' }),
    recorded.begin({ type: 'delete', key: 'a' }),
  ]
  const early = recorded.begin({ type: 'get', key: 'a' })
  recorded.answer(early, ['1'])
  recorded.answer(put, [])
  recorded.check()
  assert.ok(recorded.checked === 4 && cut.length === 1)
  const late = recorded.begin({ type: 'get', key: 'a' })
  recorded.answer(late, ['1'])
  assert.throws(() => recorded.check(), /not linearizable/)
  // Of a write that was refused nothing is ever seen.
  recorded.restart(new Map())
  recorded.refuse(recorded.begin({ type: 'put', key: 'a', value: '3' }))
  recorded.answer(recorded.begin({ type: 'get', key: 'a' }), ['3'])
  assert.throws(() => recorded.check(), /not linearizable/)
})
