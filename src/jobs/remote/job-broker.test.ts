import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerBench, RESULT } from '../../../test/jobs/broker-bench.ts'
import { VarveError } from '../../kernel/errors.ts'
import { fileName, seqno } from '../../kernel/ids.ts'
import type { LeasedJob } from './brokered-job.ts'
import { WorkerPulls } from './worker-pulls.ts'

test('shards take turns, however many jobs one of them has, and urgent jobs go first', async () => {
  const bench = new BrokerBench()
  for (let index = 0; index < 6; index++) bench.submit('greedy')
  for (let index = 0; index < 2; index++) bench.submit('modest')
  bench.submit('third', { priority: 7 })
  const shards: string[] = []
  for (let index = 0; index < 6; index++) shards.push((await bench.pull())?.spec.id.split('.')[0] ?? '')
  assert.deepEqual(shards, ['greedy', 'modest', 'third', 'greedy', 'modest', 'greedy'])
  const urgent = bench.submit('greedy', { priority: 0 })
  bench.submit('fresh')
  assert.equal((await bench.pull())?.spec.id, urgent.spec.id)
})

test('a shard of which nothing runs goes before one that has a job at work, however long ago that was given out', async () => {
  const bench = new BrokerBench()
  bench.submit('busy')
  bench.submit('idle')
  const leases = [await bench.pull(), await bench.pull()]
  bench.broker.finish(leases[1]?.lease ?? '', { result: RESULT })
  bench.submit('busy')
  const next = bench.submit('idle')
  assert.equal((await bench.pull())?.spec.id, next.spec.id)
})

test('a worker gets only what it has room and labels for', async () => {
  const bench = new BrokerBench()
  const large = bench.submit('a', { requirements: { memoryBytes: 500, labels: [] } })
  const special = bench.submit('a', { requirements: { memoryBytes: 0, labels: ['gpu'] } })
  assert.equal(await bench.pull(), undefined)
  assert.equal((await bench.pull({ labels: ['gpu', 'fpga'] }))?.spec.id, special.spec.id)
  assert.equal(await bench.pull({ urgentOnly: true, memoryBytes: 500 }), undefined)
  assert.equal((await bench.pull({ memoryBytes: 500 }))?.spec.id, large.spec.id)
})

test('a job whose worker falls silent is given to another under another prefix, and the first one’s answer is void', async () => {
  const bench = new BrokerBench()
  const job = bench.submit('a')
  const first = (await bench.pull()) as LeasedJob
  for (let renewal = 0; renewal < 5; renewal++) {
    bench.clock.advance(900)
    assert.ok(bench.broker.renew(first.lease, renewal / 10), 'one that says something keeps it')
  }
  assert.equal(job.progress, 0.4)
  bench.clock.advance(1_001)
  assert.equal(bench.broker.renew(first.lease, 0.9), false)
  const second = (await bench.pull()) as LeasedJob
  assert.equal(second.spec.id, job.spec.id)
  assert.notEqual(second.spec.outputPrefix, first.spec.outputPrefix)
  assert.ok(second.spec.outputPrefix.startsWith(first.spec.outputPrefix))
  bench.broker.finish(first.lease, { result: { outputs: [], statistics: { zombie: 1 } } })
  assert.equal(await bench.outcome(job), undefined)
  bench.broker.finish(second.lease, { result: RESULT })
  assert.deepEqual(await bench.outcome(job), { type: 'done', result: RESULT })
  assert.equal(bench.broker.pending, 0)
})

test('a job over which workers die is given up, and its work is not taken again for a while', async () => {
  const bench = new BrokerBench()
  const ref = { name: fileName('a.e1-j0-a1-0.table'), bytes: 1, checksum: '0'.repeat(16) }
  const none = new Uint8Array(0)
  const inputs = [{ type: 'file', ref, format: { name: 'row', version: 1 }, meta: none, view: none }] as const
  for (let round = 0; round < 3; round++) {
    const job = bench.submit('a', { inputs, pinnedSeqnos: [seqno(round)] })
    let tries = 0
    while ((await bench.outcome(job)) === undefined) {
      assert.ok((await bench.pull()) !== undefined)
      tries++
      bench.clock.advance(1_001)
    }
    assert.equal(tries, 3)
    assert.equal((await job.outcome).type, 'failed')
  }
  assert.throws(() => bench.submit('a', { inputs }), { code: 'JOB_FAILED' })
  const other = bench.submit('a')
  assert.equal((await bench.pull())?.spec.id, other.spec.id, 'other work goes on')
  bench.clock.advance(10_001)
  const again = bench.submit('a', { inputs })
  const lease = (await bench.pull()) as LeasedJob
  bench.broker.finish(lease.lease, { result: RESULT })
  assert.equal((await again.outcome).type, 'done')
  bench.submit('a', { inputs })
})

test('work whose handler fails again and again is not taken for a while, and one success begins the count anew', async () => {
  const bench = new BrokerBench()
  const ref = { name: fileName('a.e1-j0-a1-0.table'), bytes: 1, checksum: '0'.repeat(16) }
  const none = new Uint8Array(0)
  const inputs = [{ type: 'file', ref, format: { name: 'row', version: 1 }, meta: none, view: none }] as const
  const error = new VarveError('JOB_FAILED', 'poisoned')
  for (const answer of [{ error }, { error }, { result: RESULT }, { error }, { error }, { error }]) {
    const job = bench.submit('a', { inputs })
    bench.broker.finish(((await bench.pull()) as LeasedJob).lease, answer)
    await job.outcome
  }
  assert.throws(() => bench.submit('a', { inputs }), { code: 'JOB_FAILED' })
  bench.clock.advance(10_001)
  bench.submit('a', { inputs })
})

test('a job that is asked for again after it has ended has its outcome, and does not run again', async () => {
  const bench = new BrokerBench()
  const job = bench.submit('a')
  const lease = (await bench.pull()) as LeasedJob
  bench.broker.finish(lease.lease, { result: RESULT })
  assert.equal(bench.broker.submit(job.key, 'a', job.spec, bench), job)
  assert.equal(await bench.pull(), undefined)
  bench.clock.advance(30_001)
  assert.notEqual(bench.broker.submit(job.key, 'a', job.spec, bench), job)
})

test('work that a worker of another version has refused is taken again at once, as often as it is', async () => {
  const bench = new BrokerBench()
  const ref = { name: fileName('a.e1-j0-a1-0.table'), bytes: 1, checksum: '0'.repeat(16) }
  const none = new Uint8Array(0)
  const inputs = [{ type: 'file', ref, format: { name: 'row', version: 1 }, meta: none, view: none }] as const
  for (let round = 0; round < 5; round++) {
    const job = bench.submit('a', { inputs })
    const { lease } = (await bench.pull()) as LeasedJob
    bench.broker.finish(lease, { error: new VarveError('INCOMPATIBLE', 'another version') })
    assert.equal((await job.outcome).type, 'failed')
  }
})

test('a job that is cancelled while it waits ends at once; one that runs, when its worker has stopped', async () => {
  const bench = new BrokerBench()
  const [waiting, running] = [bench.submit('a'), bench.submit('a', { priority: 0 })]
  const lease = (await bench.pull()) as LeasedJob
  let told = false
  void bench.broker.watch(lease.lease).then(() => (told = true))
  for (const job of [waiting, running]) bench.broker.cancel(job.key)
  assert.equal((await bench.outcome(waiting))?.type, 'failed')
  assert.equal(await bench.outcome(running), undefined)
  assert.ok(told, 'the worker hears of it')
  bench.broker.finish(lease.lease, { result: RESULT })
  assert.equal((await bench.outcome(running))?.type, 'failed')
})

test('a job that is cancelled and whose worker falls silent ends with its lease, and nobody else gets it', async () => {
  const bench = new BrokerBench()
  const job = bench.submit('a')
  assert.ok((await bench.pull()) !== undefined)
  bench.broker.cancel(job.key)
  bench.clock.advance(1_001)
  assert.equal((await bench.outcome(job))?.type, 'failed')
  assert.equal(await bench.pull(), undefined)
})

test('neither who has left nor who asks a broker that has closed is given a job, or kept waiting', async () => {
  const bench = new BrokerBench()
  const job = bench.submit('a')
  const offer = { urgentOnly: false, memoryBytes: 100, labels: [] }
  assert.equal(await bench.broker.pull(offer, AbortSignal.abort()), undefined)
  assert.equal((await bench.pull())?.spec.id, job.spec.id)
  bench.broker.close()
  assert.equal(await bench.broker.pull(offer, new AbortController().signal), undefined)
})

test('a job whose submitter has gone is stopped after a while, unless it comes back', async () => {
  const bench = new BrokerBench()
  const [gone, back] = [bench.submit('a'), bench.submit('b')]
  const leases = [await bench.pull(), await bench.pull()] as LeasedJob[]
  for (const job of [gone, back]) bench.broker.leave(job.key, bench)
  assert.equal(bench.broker.submit(back.key, 'b', back.spec, bench), back)
  for (let second = 0; second < 40; second++) {
    bench.clock.advance(900)
    for (const { lease } of leases) bench.broker.renew(lease, 0)
  }
  assert.deepEqual([gone.cancelled, back.cancelled], [true, false])
})

test('a job whose submitter is back on another connection goes on when the former one is given up, and while it waits', async () => {
  const bench = new BrokerBench()
  const [running, waiting] = [bench.submit('a'), bench.submit('a')]
  const lease = (await bench.pull()) as LeasedJob
  // Half-open: the broker hears of the new connection first.
  const second = {}
  for (const job of [running, waiting]) {
    assert.equal(bench.broker.submit(job.key, 'a', job.spec, second), job)
    bench.broker.leave(job.key, bench)
  }
  // And of another one after it has given the second up.
  for (const job of [running, waiting]) {
    bench.broker.leave(job.key, second)
    assert.equal(bench.broker.submit(job.key, 'a', job.spec, bench), job)
  }
  for (let step = 0; step < 40; step++) {
    bench.clock.advance(900)
    bench.broker.renew(lease.lease, 0)
  }
  assert.deepEqual([running.cancelled, waiting.cancelled], [false, false])
})

test('a job whose worker has gone keeps its place before those that were submitted after it', async () => {
  const bench = new BrokerBench()
  const [first, second] = [bench.submit('a'), bench.submit('a')]
  assert.equal((await bench.pull())?.spec.id, first.spec.id)
  bench.clock.advance(1_001)
  assert.equal((await bench.pull())?.spec.id, first.spec.id)
  assert.equal((await bench.pull())?.spec.id, second.spec.id)
})

test('a worker that was given a job and has not heard of it asks again and is given that one', async () => {
  const bench = new BrokerBench()
  const pulls = new WorkerPulls(bench.broker)
  const offer = { urgentOnly: false, memoryBytes: 100, labels: [] }
  const [lost, next] = [new AbortController(), new AbortController()]
  const unheard = pulls.pull('one', offer, lost.signal)
  const [job, other] = [bench.submit('a'), bench.submit('a')]
  const given = await unheard
  lost.abort()
  assert.equal(given?.spec.id, job.spec.id)
  assert.equal((await pulls.pull('one', offer, next.signal))?.lease, given?.lease)
  assert.equal((await pulls.pull('two', offer, next.signal))?.spec.id, other.spec.id)
  // A connection that only seems to be there takes nothing from the one that is.
  const [halfOpen, waiting] = [pulls.pull('three', offer, next.signal), pulls.pull('three', offer, next.signal)]
  assert.equal(await halfOpen, undefined)
  const third = bench.submit('a')
  assert.equal((await waiting)?.spec.id, third.spec.id)
  // Its lease has ended: then it is as any other.
  bench.clock.advance(1_001)
  await bench.clock.turn()
  assert.notEqual((await pulls.pull('one', offer, next.signal))?.lease, given?.lease)
})

test('a job that a broker is given again, which does not know it any more, has outputs under another prefix', async () => {
  const bench = new BrokerBench()
  const { spec } = bench.submit('a')
  const former = await bench.pull()
  const anew = new BrokerBench()
  const prefixes = [former?.spec.outputPrefix]
  for (const submission of [1, 2]) {
    anew.broker.submit(`${spec.id}/${submission}`, 'a', spec, anew, submission)
    prefixes.push((await anew.pull())?.spec.outputPrefix)
  }
  assert.equal(new Set(prefixes).size, 3)
  for (const prefix of prefixes) assert.ok(prefix?.startsWith(spec.outputPrefix))
})
