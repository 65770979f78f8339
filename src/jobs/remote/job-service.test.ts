/** Who may do what with which jobs. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileName } from '../../kernel/ids.ts'
import type { Peer, RpcSession } from '../../rpc/rpc.ts'
import { plainJobSpec } from '../../testing/plain-job-spec.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { decodeSpec, encodeSpec } from '../wire/job-wire.ts'
import { JobBroker } from './job-broker.ts'
import { JobService, WorkerService } from './job-service.ts'

const SPEC = plainJobSpec('mine.e1-j1')

/** Of a peer that has one shard. */
function sessionOf(broker: JobBroker): RpcSession {
  const grant: Peer['grant'] = { name: 'a tenant', roles: ['jobs'], shards: ['mine'] }
  return new JobService({ broker }).openSession({ grant, address: 'here' })
}

const { signal } = new AbortController()
const NOTHING = new Uint8Array(0)

test('a peer has to do with jobs of its shards only, and a job of theirs with their files only', async () => {
  const broker = new JobBroker({ clock: new SimulatedClock(), random: new SeededRandom(1) })
  const session = sessionOf(broker)
  const theirs = { name: fileName('theirs.e1-j1-a1-0.table'), bytes: 1, checksum: '0'.repeat(16) }
  const input = { type: 'file', ref: theirs, format: { name: 'f', version: 1 }, meta: NOTHING, view: NOTHING } as const
  const denied = { code: 'PERMISSION_DENIED' }
  for (const method of ['submit', 'await', 'progress', 'cancel'])
    await assert.rejects(
      async () => session.call({ method, parameters: ['theirs', 'job'], body: encodeSpec(SPEC), signal }),
      denied,
      method,
    )
  for (const wrong of [{ outputPrefix: 'theirs.e1-j1-a1-' }, { inputs: [input] }])
    await assert.rejects(
      async () =>
        session.call({
          method: 'submit',
          parameters: ['mine', 'job'],
          body: encodeSpec({ ...SPEC, ...wrong }),
          signal,
        }),
      denied,
      Object.keys(wrong)[0],
    )
  assert.equal(broker.find('theirs/job'), undefined)
  assert.equal(broker.find('mine/job'), undefined)
  const own = session.call({ method: 'submit', parameters: ['mine', 'job'], body: encodeSpec(SPEC), signal })
  assert.ok(broker.find('mine/job') !== undefined)
  assert.deepEqual(await session.call({ method: 'progress', parameters: ['mine', 'job'], body: NOTHING, signal }), {
    value: 0,
  })
  await session.call({ method: 'cancel', parameters: ['mine', 'job'], body: NOTHING, signal })
  const [outcome, error] = (await own).value as [string, Record<string, unknown>]
  assert.deepEqual([outcome, error['code'], error['stack']], ['failed', 'ABORTED', undefined])
  broker.close()
})

// It was given all of them, failed for want of their files, and after three times nobody took them for a while.
test('a worker is given jobs of its shards only, over files of theirs, and nobody waits for it with others', async () => {
  const clock = new SimulatedClock()
  const broker = new JobBroker({ clock, random: new SeededRandom(1), settings: { startMs: 1_000 } })
  const grant: Peer['grant'] = { name: 'a worker', roles: ['worker'], shards: ['mine'] }
  const session = new WorkerService({ broker }).openSession({ grant, address: 'here' })
  const given: string[] = []
  const pull = async (key: string): Promise<void> => {
    const { body } = await session.call({ method: 'pull', parameters: [false, 100, [], key], body: NOTHING, signal })
    if (body !== undefined) given.push(decodeSpec(body).outputPrefix)
  }
  const pulls = [pull('first'), pull('second')]
  const parent = { name: fileName('parent.e1-j1-a1-0.table'), bytes: 1, checksum: '0'.repeat(16) }
  const input = { type: 'file', ref: parent, format: { name: 'f', version: 1 }, meta: NOTHING, view: NOTHING } as const
  const theirs = broker.submit('theirs/1', 'theirs', plainJobSpec('theirs.e1-j1'), {})
  const split = broker.submit('mine/2', 'mine', { ...plainJobSpec('mine.e1-j2'), inputs: [input] }, {})
  broker.submit('mine/3', 'mine', plainJobSpec('mine.e1-j3'), {})
  broker.submit('mine/4', 'mine', plainJobSpec('mine.e1-j4'), {})
  await Promise.all(pulls)
  assert.deepEqual(
    given.map((prefix) => prefix.split('-')[1]),
    ['j3', 'j4'],
  )
  clock.advance(1_000)
  for (const job of [theirs, split]) assert.deepEqual(await job.outcome, { type: 'not-begun' })
  broker.close()
})

test('jobs of a peer that has gone are given up when it does not come back', async () => {
  const clock = new SimulatedClock()
  const broker = new JobBroker({
    clock,
    random: new SeededRandom(1),
    settings: { startMs: 3_600_000, orphanMs: 1_000 },
  })
  const session = sessionOf(broker)
  const own = session.call({ method: 'submit', parameters: ['mine', 'job'], body: encodeSpec(SPEC), signal })
  await session.close()
  clock.advance(999)
  assert.equal(broker.pending, 1)
  clock.advance(1)
  assert.equal(broker.pending, 0)
  assert.deepEqual((await own).value, ['not-begun'], 'it has not cancelled it')
})
