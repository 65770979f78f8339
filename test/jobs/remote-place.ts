/** A broker, a worker and the scheduler of a shard, over real connections and in real time. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { JobBroker } from '../../src/jobs/remote/job-broker.ts'
import { JobService, WorkerService } from '../../src/jobs/remote/job-service.ts'
import { JobWorker } from '../../src/jobs/remote/job-worker.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import type { BrokerSettings } from '../../src/jobs/remote/settings.ts'
import * as standardHandlers from '../../src/jobs/standard-handlers.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialLoopback } from '../../src/rpc/loopback.ts'
import type { Dial } from '../../src/rpc/rpc.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import type { RpcSettings } from '../../src/rpc/settings.ts'
import { dialSocket, listenSocket } from '../../src/rpc/socket-transport.ts'
import type { JobSchedulerUnderTest } from '../../src/testing/job-bench.ts'
import { SystemClock } from '../../src/system-clock.ts'
import * as testHandlers from '../../src/testing/job-handlers.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { openTestFiles } from './worker-composition.ts'

export const hash = await loadHash()
export const clock = new SystemClock()
export const handlers = new HandlerTable({
  [testHandlers.TEST_HANDLERS]: testHandlers,
  [standardHandlers.STANDARD_HANDLERS]: standardHandlers,
})

export interface Place extends JobSchedulerUnderTest {
  readonly scheduler: RemoteScheduler
  readonly broker: JobBroker
}

/** A broker, a worker and a shard's scheduler. */
export async function openPlace(options: {
  readonly concurrency: number
  readonly pendingMax: number
  readonly listens: boolean
  readonly around?: (dial: Dial) => Dial
  readonly broker?: Partial<BrokerSettings>
  readonly workers?: boolean
  /** What workers have instead of what is here. */
  readonly workerHandlers?: HandlerTable
  readonly awayMs?: number
  readonly settings?: Partial<RpcSettings>
}): Promise<Place> {
  const {
    concurrency,
    pendingMax,
    listens,
    around = (dial) => dial,
    workers = true,
    settings = {},
    awayMs = 500,
  } = options
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  const files = await openTestFiles(folder)
  const random = new SeededRandom(7)
  const broker = new JobBroker({ clock, random, settings: options.broker ?? {} })
  const services = [new JobService({ broker }), new WorkerService({ broker })]
  const server = new RpcServer({ services, clock, hash, settings })
  const listening = listens ? await listenSocket('tcp://127.0.0.1:0', server) : undefined
  const dial = around(listening === undefined ? dialLoopback(server) : dialSocket(listening.address))
  const shardClient = new RpcClient({ dial, clock, hash, random, settings })
  const workerClient = new RpcClient({ dial, clock, hash, random, settings })
  const inner = new InlineScheduler({
    files,
    hash,
    clock,
    handlers,
    settings: { concurrency, urgentPlaces: 0, pendingMax: 100 },
  })
  const { workerHandlers } = options
  const jobs =
    workerHandlers === undefined ? inner : new InlineScheduler({ files, hash, clock, handlers: workerHandlers })
  const worker = workers
    ? new JobWorker({ client: workerClient, jobs, clock, settings: { places: concurrency } })
    : undefined
  const scheduler = new RemoteScheduler({
    client: shardClient,
    shard: 'test',
    clock,
    random,
    pendingMax,
    local: inner,
    awayMs,
  })
  return {
    scheduler,
    broker,
    files,
    clock,
    close: async () => {
      await scheduler.close()
      await worker?.close()
      await jobs.close()
      await inner.close()
      await shardClient.close()
      await workerClient.close()
      await listening?.close()
      broker.close()
      await server.close()
      rmSync(folder, { recursive: true })
    },
  }
}
