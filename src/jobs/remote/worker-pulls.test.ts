import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerBench } from '../../../test/jobs/broker-bench.ts'
import { WorkerPulls } from './worker-pulls.ts'

const OFFER = { urgentOnly: false, memoryBytes: 100, labels: [] }

test('of all who ask under one name the last is given the job, and nobody else is kept waiting', async () => {
  const bench = new BrokerBench()
  const pulls = new WorkerPulls(bench.broker)
  const { signal } = new AbortController()
  const asked = []
  for (let time = 0; time < 4; time++) {
    asked.push(pulls.pull('one', OFFER, signal))
    await bench.clock.turn()
  }
  const [job, other] = [bench.submit('a'), bench.submit('a')]
  const given = (await Promise.all(asked)).map((lease) => lease?.spec.id)
  assert.deepEqual(given, [undefined, undefined, undefined, job.spec.id])
  assert.equal((await pulls.pull('two', OFFER, signal))?.spec.id, other.spec.id)
})
