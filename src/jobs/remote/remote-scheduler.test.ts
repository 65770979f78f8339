import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { RpcClient } from '../../rpc/client.ts'
import { plainJobSpec } from '../../testing/plain-job-spec.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import type { JobScheduler } from '../jobs.ts'
import { encodeResult } from '../wire/job-wire.ts'
import { RemoteScheduler } from './remote-scheduler.ts'

const SPEC = plainJobSpec('s.e1-j1')

/** Runs everything at once. @param prefixes takes where outputs would go */
function localJobs(prefixes: string[]): JobScheduler {
  const local: Pick<JobScheduler, 'ready' | 'submit'> = {
    ready: () => Promise.resolve(),
    submit: ({ outputPrefix }) => {
      prefixes.push(outputPrefix)
      const result = Promise.resolve({ outputs: [], statistics: {} })
      return { result, cancel: () => undefined } as unknown as ReturnType<JobScheduler['submit']>
    },
  }
  return local as JobScheduler
}

test('a job that runs here because there is no broker writes under other names than one elsewhere would', async () => {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const dial = (): Promise<never> => Promise.reject(new Error('nobody listens'))
  const client = new RpcClient({ dial, clock, random, hash: await loadHash() })
  const prefixes: string[] = []
  const local = localJobs(prefixes)
  const scheduler = new RemoteScheduler({ client, shard: 's', clock, random, local, awayMs: 1 })
  await scheduler.submit(SPEC).result
  assert.equal(prefixes.length, 1)
  assert.match(prefixes[0] ?? '', /^s\.e1-j1-a1-./)
  await scheduler.close()
  await client.close()
})

test('a broker that lets its client in no more is as one that is away; one that never did is told of', async () => {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const done = { value: ['done'], body: encodeResult({ outputs: [], statistics: {} }) }
  for (const code of ['PERMISSION_DENIED', 'INCOMPATIBLE'] as const) {
    const refusal = new VarveError(code, 'the token of orders has expired')
    let refused = true
    const connection = { call: () => (refused ? Promise.reject(refusal) : Promise.resolve(done)) }
    const retry = (_: unknown, work: (found: unknown) => Promise<unknown>): Promise<unknown> => work(connection)
    const client = { ...connection, retry } as unknown as RpcClient
    const prefixes: string[] = []
    const scheduler = new RemoteScheduler({ client, shard: 's', clock, random, local: localJobs(prefixes) })
    await assert.rejects(scheduler.submit(SPEC).result, (error: Error) => error.cause === refusal)
    refused = false
    await scheduler.submit(SPEC).result
    assert.equal(prefixes.length, 0)
    refused = true
    await scheduler.submit(SPEC).result
    assert.deepEqual([prefixes.length, scheduler.localCount], [1, 1])
    await scheduler.close()
  }
})

test('nobody asks how far a job is that has ended, though the answer to the last question came later', async () => {
  const clock = new SimulatedClock()
  const done = { value: ['done'], body: encodeResult({ outputs: [], statistics: {} }) }
  const answers = new Map<string, (reply: unknown) => void>()
  let asked = 0
  const connection = {
    call: async ({ method }: { readonly method: string }) => {
      if (method === 'progress') asked++
      return new Promise((resolve) => answers.set(method, resolve))
    },
  }
  const retry = (_: unknown, work: (found: unknown) => Promise<unknown>): Promise<unknown> => work(connection)
  const client = { ...connection, retry } as unknown as RpcClient
  const scheduler = new RemoteScheduler({ client, shard: 's', clock, random: new SeededRandom(1) })
  const { result } = scheduler.submit(SPEC)
  await clock.turn()
  clock.advance(250)
  answers.get('submit')?.(done)
  await result
  answers.get('progress')?.({ value: 0.5 })
  await clock.turn()
  assert.deepEqual([asked, clock.pending], [1, 0])
  await scheduler.close()
})
