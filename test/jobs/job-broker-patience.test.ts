/** How long a broker waits: for a worker to come, and for one that has a job. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LeasedJob } from '../../src/jobs/remote/brokered-job.ts'
import { BrokerBench, RESULT } from './broker-bench.ts'

test('a job that nobody asks for is given back; one that waits behind others is not', async () => {
  const bench = new BrokerBench()
  const lonely = bench.submit('a')
  bench.clock.advance(5_001)
  assert.deepEqual(await bench.outcome(lonely), { type: 'not-begun' })
  const running = bench.submit('a')
  const lease = (await bench.pull()) as LeasedJob
  const waiting = bench.submit('a')
  for (let second = 0; second < 20; second++) {
    bench.clock.advance(500)
    bench.broker.renew(lease.lease, 0)
  }
  assert.equal(await bench.outcome(waiting), undefined)
  bench.broker.finish(lease.lease, { result: RESULT })
  assert.equal((await running.outcome).type, 'done')
})

// It waited for as long as any shard kept any worker busy.
test('a job that no worker could take is given back, however busy workers are with others', async () => {
  const bench = new BrokerBench()
  bench.submit('busy')
  let lease = await bench.pull()
  const large = bench.submit('a', { requirements: { memoryBytes: 500, labels: [] } })
  const fitting = bench.submit('a', { requirements: { memoryBytes: 50, labels: [] } })
  for (let second = 0; second < 11; second++) {
    bench.clock.advance(500)
    bench.broker.renew(lease?.lease ?? '', 0)
  }
  assert.deepEqual(await bench.outcome(large), { type: 'not-begun' })
  assert.equal(await bench.outcome(fitting), undefined, 'the worker could take it afterwards')
  bench.broker.finish(lease?.lease ?? '', { result: RESULT })
  lease = await bench.pull()
  assert.equal(lease?.spec.id, fitting.spec.id)
})

test('a job that no worker could take is given back, however often workers ask for others', async () => {
  const bench = new BrokerBench()
  const large = bench.submit('a', { requirements: { memoryBytes: 500, labels: [] } })
  const special = bench.submit('a', { requirements: { memoryBytes: 50, labels: ['gpu'] } })
  for (let step = 0; step < 11; step++) {
    assert.equal(await bench.pull(), undefined)
    bench.clock.advance(500)
  }
  for (const job of [large, special]) assert.deepEqual(await bench.outcome(job), { type: 'not-begun' })
})

test('a job that waits when a worker is between two others is given to it', async () => {
  const bench = new BrokerBench()
  bench.submit('a')
  const lease = (await bench.pull()) as LeasedJob
  const waiting = bench.submit('a')
  for (let step = 0; step < 9; step++) {
    bench.clock.advance(550)
    bench.broker.renew(lease.lease, 0)
  }
  bench.broker.finish(lease.lease, { result: RESULT })
  // Its time is up just now, before the worker has asked for another.
  bench.clock.advance(100)
  assert.equal(await bench.outcome(waiting), undefined)
  bench.clock.advance(4_850)
  assert.equal(await bench.outcome(waiting), undefined)
  bench.clock.advance(100)
  assert.deepEqual(await bench.outcome(waiting), { type: 'not-begun' }, 'the worker has gone')
})

// A handler that waits for what never comes kept its lease for as long as its worker lived.
test('a job whose worker says that it is still at it, and comes no further, is given to another', async () => {
  const bench = new BrokerBench({ stuckMs: 10_000 })
  const [job, patient] = [bench.submit('a'), bench.submit('b', { stuckMs: 25_000 })]
  const renewFor = (lease: LeasedJob, ms: number): boolean => {
    for (let sinceMs = 0; sinceMs < ms; sinceMs += 500) {
      bench.clock.advance(500)
      if (!bench.broker.renew(lease.lease, 0.5)) return false
    }
    return true
  }
  const first = (await bench.pull()) as LeasedJob
  assert.ok(renewFor(first, 10_000), 'it has come as far as the half')
  assert.ok(!renewFor(first, 1_000), 'and no further')
  bench.broker.finish(first.lease, { result: RESULT })
  assert.equal(await bench.outcome(job), undefined, 'what comes too late is not listened to')
  const slow = (await bench.pull()) as LeasedJob
  assert.equal(slow.spec.id, patient.spec.id, 'the other shard has its turn')
  assert.ok(renewFor(slow, 20_000), 'the engine has set another limit')
  bench.broker.finish(slow.lease, { result: RESULT })
  for (const tries of [2, 3]) {
    const lease = (await bench.pull()) as LeasedJob
    assert.match(lease.spec.outputPrefix, new RegExp(`-t${tries}-$`))
    assert.ok(!renewFor(lease, 11_000))
  }
  const outcome = await bench.outcome(job)
  assert.ok(outcome?.type === 'failed' && outcome.error instanceof Error)
  assert.match(outcome.error.message, /come no further/)
})
