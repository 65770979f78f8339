/** A shard that is closed while a worker that has died has one of its jobs. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobBroker } from '../../src/jobs/remote/job-broker.ts'
import { JobService, WorkerService } from '../../src/jobs/remote/job-service.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import type { Wire } from '../../src/rpc/rpc.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { dialSocket, listenSocket } from '../../src/rpc/socket-transport.ts'
import { plainJobSpec } from '../../src/testing/plain-job-spec.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { clock, hash } from './remote-place.ts'

// Closing took the rest of the lease.
test('closing a scheduler does not wait for the lease of a worker that has died', { timeout: 120_000 }, async () => {
  const random = new SeededRandom(1)
  // Nobody waits for so long.
  const broker = new JobBroker({ clock, random, settings: { leaseMs: 3_600_000 } })
  const server = new RpcServer({ services: [new JobService({ broker }), new WorkerService({ broker })], clock, hash })
  const listening = await listenSocket('tcp://127.0.0.1:0', server)
  const dial = dialSocket(listening.address)
  const shardClient = new RpcClient({ dial, clock, hash, random })
  let wire: Wire | undefined
  const dying = new RpcClient({ dial: async (signal) => (wire = await dial(signal)), clock, hash, random })
  const scheduler = new RemoteScheduler({ client: shardClient, shard: 'a', clock, random })
  const { result } = scheduler.submit(plainJobSpec('a.e1-j1'))
  const connection = await dying.connection()
  const pulled = await connection.call({ service: 'worker', method: 'pull', parameters: [false, 100, [], 'a place'] })
  assert.ok(pulled.value !== undefined)
  wire?.destroy()
  await scheduler.close()
  await assert.rejects(result, { code: 'CLOSED' })
  assert.equal(broker.pending, 0)
  await dying.close()
  await shardClient.close()
  await listening.close()
  await server.close()
  broker.close()
})
