import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../kernel/hash.ts'
import { RpcClient } from '../../rpc/client.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import type { JobScheduler, JobSpec } from '../jobs.ts'
import { RemoteScheduler } from './remote-scheduler.ts'

test('a job that runs here because there is no broker writes under other names than one elsewhere would', async () => {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const dial = (): Promise<never> => Promise.reject(new Error('nobody listens'))
  const client = new RpcClient({ dial, clock, random, hash: await loadHash() })
  const prefixes: string[] = []
  const local: Pick<JobScheduler, 'ready' | 'submit'> = {
    ready: () => Promise.resolve(),
    submit: ({ outputPrefix }) => {
      prefixes.push(outputPrefix)
      const result = Promise.resolve({ outputs: [], statistics: {} })
      return { result, cancel: () => undefined } as unknown as ReturnType<JobScheduler['submit']>
    },
  }
  const scheduler = new RemoteScheduler({
    client,
    shard: 's',
    clock,
    random,
    local: local as JobScheduler,
    awayMs: 1,
  })
  const spec: JobSpec = {
    id: 's.e1-j1',
    attempt: 1,
    handler: { module: 'm', export: 'x', version: 1 },
    inputs: [],
    parameters: null,
    pinnedSeqnos: [],
    outputPrefix: 's.e1-j1-a1-',
    requirements: { memoryBytes: 0, labels: [] },
    priority: 1,
  }
  await scheduler.submit(spec).result
  assert.equal(prefixes.length, 1)
  assert.match(prefixes[0] ?? '', /^s\.e1-j1-a1-./)
  await scheduler.close()
  await client.close()
})
