import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { JobBroker } from '../../src/jobs/remote/job-broker.ts'
import { JobService, WorkerService } from '../../src/jobs/remote/job-service.ts'
import { JobWorker } from '../../src/jobs/remote/job-worker.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import { fileName } from '../../src/kernel/ids.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialLoopback } from '../../src/rpc/loopback.ts'
import type { Dial, Wire } from '../../src/rpc/rpc.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { faultyDial } from '../../src/testing/faulty-wire.ts'
import { JobBench } from '../../src/testing/job-bench.ts'
import * as testHandlers from '../../src/testing/job-handlers.ts'
import { testJobScheduler } from '../../src/testing/job-scheduler-conformance.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { clock, handlers, hash, openPlace } from './remote-place.ts'

for (const transport of ['loopback', 'TCP'] as const) {
  testJobScheduler({
    test,
    name: `a worker elsewhere, by ${transport}`,
    isolated: false,
    open: ({ concurrency, pendingMax }) => openPlace({ concurrency, pendingMax, listens: transport === 'TCP' }),
  })
}

test('over a network that cuts, every job is answered with what one run of it wrote', async () => {
  const random = new SeededRandom(3)
  const around = (dial: Dial): Dial =>
    faultyDial(dial, { random, clock, faults: { cutsOnceIn: 20, damagesOnceIn: 60, delayTurnsMax: 1 } })
  const place = await openPlace({
    concurrency: 2,
    pendingMax: 100,
    listens: true,
    around,
    broker: { leaseMs: 300, triesMax: 20 },
  })
  const bench = new JobBench(place)
  const texts = Array.from({ length: 40 }, (_, index) => `output of job ${index}`)
  const results = await Promise.all(
    texts.map((text) => place.scheduler.submit(bench.spec('write', { parameters: [text] })).result),
  )
  const names = new Set<string>()
  for (const [index, { outputs }] of results.entries()) {
    const ref = outputs[0]?.ref
    assert.ok(ref !== undefined && outputs.length === 1)
    names.add(ref.name)
    const content = await (await place.files.open(ref)).read(0, ref.bytes)
    assert.equal(new TextDecoder().decode(content), texts[index])
  }
  assert.equal(names.size, texts.length)
  assert.equal(place.broker.pending, 0)
  await place.close()
})

test('a job that no worker asks for runs here, and so does one whose broker is not there', async () => {
  const place = await openPlace({
    concurrency: 1,
    pendingMax: 10,
    listens: true,
    workers: false,
    broker: { startMs: 50 },
  })
  const bench = new JobBench(place)
  const run = async (): Promise<string> => {
    const { outputs } = await place.scheduler.submit(bench.spec('write', { parameters: ['here'] })).result
    return outputs[0]?.ref.name ?? ''
  }
  assert.match(await run(), /^job-1-l-/)
  assert.equal(place.scheduler.localCount, 1)
  await place.close()
  const client = new RpcClient({
    dial: dialSocket('unix:/nowhere/varve.sock'),
    clock,
    hash,
    random: new SeededRandom(1),
  })
  const again = await openPlace({ concurrency: 1, pendingMax: 10, listens: false })
  const scheduler = new RemoteScheduler({
    client,
    shard: 'test',
    clock,
    random: new SeededRandom(1),
    local: new InlineScheduler({ files: again.files, hash, clock, handlers }),
    awayMs: 100,
  })
  const { outputs } = await scheduler.submit(bench.spec('write', { parameters: ['here'] })).result
  assert.equal(outputs.length, 1)
  await scheduler.close()
  await client.close()
  await again.close()
})

// While workers were of another version than their shard nothing was compacted, until writes waited.
test('a job that a worker of another version refuses runs here, as often as it is refused', async () => {
  const newer = { version: testHandlers.write.version + 1, run: testHandlers.write.run }
  const workerHandlers = new HandlerTable({ [testHandlers.TEST_HANDLERS]: { ...testHandlers, write: newer } })
  const place = await openPlace({ concurrency: 1, pendingMax: 10, listens: false, workerHandlers })
  const bench = new JobBench(place)
  const ref = { name: fileName('test.e1-j0-a1-0.table'), bytes: 1, checksum: '0'.repeat(16) }
  const none = new Uint8Array(0)
  const inputs = [{ type: 'file', ref, format: { name: 'row', version: 1 }, meta: none, view: none }] as const
  for (let round = 1; round <= 5; round++) {
    const { outputs } = await place.scheduler.submit(bench.spec('write', { inputs, parameters: ['here'] })).result
    assert.match(outputs[0]?.ref.name ?? '', /-l-/)
    assert.equal(place.scheduler.localCount, round)
  }
  const other = bench.spec('write', { parameters: ['nowhere'] })
  const nobodys = { ...other, handler: { ...other.handler, version: 99 } }
  await assert.rejects(place.scheduler.submit(nobodys).result, { code: 'JOB_FAILED' })
  await place.close()
})

test('a job that had begun when its broker was started anew runs again under other names, and succeeds', async () => {
  const place = await openPlace({ concurrency: 1, pendingMax: 10, listens: false, workers: false })
  const bench = new JobBench(place)
  const connections: Wire[] = []
  const random = new SeededRandom(1)
  const broker = (): { readonly broker: JobBroker; readonly server: RpcServer } => {
    const made = new JobBroker({ clock, random })
    const services = [new JobService({ broker: made }), new WorkerService({ broker: made })]
    return { broker: made, server: new RpcServer({ services, clock, hash }) }
  }
  let there = broker()
  const dial: Dial = async (signal) => {
    const wire = await dialLoopback(there.server)(signal)
    connections.push(wire)
    return wire
  }
  const client = (): RpcClient => new RpcClient({ dial, clock, hash, random })
  const clients = [client(), client()] as const
  const inner = new InlineScheduler({ files: place.files, hash, clock, handlers })
  const scheduler = new RemoteScheduler({ client: clients[0], shard: 'test', clock, random })
  const worker = new JobWorker({ client: clients[1], jobs: inner, clock, settings: { places: 1 } })
  const { result } = scheduler.submit(bench.spec('wait', { parameters: 'open-gate', outputPrefix: 'begun-' }))
  await bench.until(async () => (await place.files.list('begun-')).length > 0)
  // The first output is there when the broker dies, and its worker does not hear of that: a zombie.
  there = broker()
  for (const wire of connections.splice(0)) wire.destroy()
  const other = new InlineScheduler({ files: place.files, hash, clock, handlers })
  const second = client()
  const workers = [worker, new JobWorker({ client: second, jobs: other, clock, settings: { places: 1 } })]
  await bench.writeFile('open-gate')
  const { outputs } = await result
  assert.match(outputs[0]?.ref.name ?? '', /^begun-r1-0/)
  await scheduler.close()
  for (const each of workers) await each.close()
  for (const each of [inner, other, ...clients, second]) await each.close()
  there.broker.close()
  await there.server.close()
  await place.close()
})
