/** Workers whose connections go, and come back, as a broker sees them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerBench, RESULT } from '../../../test/jobs/broker-bench.ts'
import type { BrokeredJob, LeasedJob } from './brokered-job.ts'

const CANCELLED = /was cancelled/

/** A job that a worker has, at the other end of a connection. */
async function leased(leaseMs = 15_000) {
  const bench = new BrokerBench({ leaseMs })
  const job = bench.submit('a')
  const { lease } = (await bench.pull()) as LeasedJob
  const connection = {}
  bench.broker.hold(lease, connection)
  return { bench, broker: bench.broker, clock: bench.clock, job, lease, connection }
}

async function isCancelled(bench: BrokerBench, job: BrokeredJob): Promise<boolean> {
  const outcome = await bench.outcome(job)
  if (outcome === undefined) return false
  assert.ok(outcome.type === 'failed')
  assert.match(String(outcome.error), CANCELLED)
  return true
}

// It was waited for until its lease had ended, as for one that is at work.
for (const order of ['before', 'after'] as const) {
  test(`a cancelled job whose worker’s connection has gone, ${order} that, ends in two seconds, and nobody else gets it`, async () => {
    const { bench, broker, clock, job, lease, connection } = await leased()
    if (order === 'before') broker.part(connection)
    broker.cancel(job.key)
    if (order === 'after') broker.part(connection)
    clock.advance(1_999)
    assert.equal(await bench.outcome(job), undefined, 'one that dials again is back by then')
    clock.advance(1)
    assert.ok(await isCancelled(bench, job))
    assert.equal(broker.renew(lease, 0.5), false, 'one that comes later is told to stop')
    assert.equal(await bench.pull(), undefined)
    assert.equal(broker.pending, 0)
  })
}

test('a cancelled job whose worker is back on another connection ends when that one has stopped', async () => {
  const { bench, broker, clock, job, lease, connection } = await leased()
  broker.cancel(job.key)
  broker.part(connection)
  clock.advance(1_000)
  broker.hold(lease, {})
  clock.advance(10_000)
  assert.equal(await bench.outcome(job), undefined)
  broker.finish(lease, { result: RESULT })
  assert.ok(await isCancelled(bench, job))
})

test('a cancelled job whose worker has spoken over two connections is waited for while there is one', async () => {
  const { bench, broker, clock, job, lease, connection } = await leased()
  broker.hold(lease, {})
  broker.cancel(job.key)
  broker.part(connection)
  clock.advance(10_000)
  assert.equal(await bench.outcome(job), undefined)
})

test('a job that somebody wants is its worker’s until the lease ends, though the connection has gone', async () => {
  const { bench, broker, clock, job, lease, connection } = await leased()
  broker.part(connection)
  clock.advance(14_999)
  assert.equal(await bench.pull(), undefined)
  assert.ok(broker.renew(lease, 0.5), 'it is back in time')
  broker.finish(lease, { result: RESULT })
  assert.deepEqual(await bench.outcome(job), { type: 'done', result: RESULT })
})

// It was told that its job had been cancelled, which it had not asked for.
test('a submitter that is back after its job was given up for want of anybody is told that nobody does it', async () => {
  const bench = new BrokerBench()
  const [waiting, running] = [bench.submit('a'), bench.submit('a', { priority: 0 })]
  const { lease } = (await bench.pull()) as LeasedJob
  for (const job of [waiting, running]) bench.broker.leave(job.key, bench)
  for (let second = 0; second < 31; second++) {
    bench.clock.advance(1_000)
    bench.broker.renew(lease, 0)
  }
  for (const job of [waiting, running]) assert.equal(bench.broker.submit(job.key, 'a', job.spec, bench), job)
  bench.broker.finish(lease, { result: RESULT })
  for (const job of [waiting, running]) assert.deepEqual(await bench.outcome(job), { type: 'not-begun' })
})
