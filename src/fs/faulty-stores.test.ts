import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName, shardId } from '../kernel/ids.ts'
import { putFile, randomBytes } from '../testing/file-model.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { FaultyFileStore, FaultyHeadStore } from './faulty-stores.ts'
import type { Fault, FaultPlan } from './faulty-stores.ts'
import { MemoryFileStore } from './memory-file-store.ts'
import { MemoryHeadStore } from './memory-head-store.ts'
import { randomFaults } from './random-faults.ts'
import type { StoreCall } from './store-call.ts'

const hash = await loadHash()
const clock = new SimulatedClock()
const A = fileName('a')
const SHARD = shardId('s')
const lost = new VarveError('OUTCOME_UNKNOWN', 'lost')
const failed = new VarveError('IO_FAILED', 'failed')

function only(operation: StoreCall['operation'], fault: Fault): FaultPlan {
  return (call) => (call.operation === operation ? fault : undefined)
}

function files(plan: FaultPlan): { readonly inner: MemoryFileStore; readonly store: FaultyFileStore } {
  const inner = new MemoryFileStore({ hash })
  return { inner, store: new FaultyFileStore(inner, { plan, clock }) }
}

test('a call that fails without happening leaves nothing below', async () => {
  const { inner, store } = files(only('finish', { error: lost }))
  await assert.rejects(putFile(store, A, randomBytes(1, 10)), lost)
  assert.deepEqual(await inner.list(), [])
})

test('a call whose answer is lost has happened, and aborting takes nothing back', async () => {
  const { inner, store } = files(only('finish', { error: lost, happens: true }))
  await assert.rejects(putFile(store, A, randomBytes(1, 10)), lost)
  assert.deepEqual(await inner.list(), [{ name: A, bytes: 10 }])
})

test('a file that is created or opened though the caller is told otherwise is let go', async () => {
  for (const operation of ['create', 'open'] as const) {
    const { inner, store } = files(only(operation, { error: failed, happens: true }))
    const ref = await putFile(inner, fileName('b'), randomBytes(1, 10))
    await assert.rejects(operation === 'create' ? store.create(A) : store.open(ref), failed)
    if (operation === 'open') assert.throws(() => store.openSync(ref), failed)
    await putFile(inner, A, randomBytes(1, 10))
  }
})

test('after a write that failed a writer takes nothing more, and finishes nothing', async () => {
  let writes = 0
  const { inner, store } = files((call) =>
    call.operation === 'write' && ++writes === 2 ? { error: failed } : undefined,
  )
  const writer = await store.create(A)
  await writer.write(new Uint8Array(1))
  await assert.rejects(writer.write(new Uint8Array(2)), failed)
  await assert.rejects(writer.write(new Uint8Array(4)), { code: 'CLOSED' })
  await assert.rejects(writer.finish(), { code: 'CLOSED' })
  await writer.abort()
  assert.deepEqual(await inner.list(), [])
})

test('a synchronous read fails as the plan says, and is asked about as such', async () => {
  const calls: StoreCall[] = []
  const { inner, store } = files((call) => {
    calls.push(call)
    return call.offset === 3 ? { error: failed } : undefined
  })
  const reader = store.openSync(await putFile(inner, A, randomBytes(1, 10)))
  assert.equal(reader.readSync(2, 4).length, 4)
  assert.throws(() => reader.readSync(3, 4), failed)
  assert.deepEqual(calls, [
    { operation: 'open', name: 'a', offset: 0, bytes: 10, sync: true },
    { operation: 'read', name: 'a', offset: 2, bytes: 4, sync: true },
    { operation: 'read', name: 'a', offset: 3, bytes: 4, sync: true },
  ])
})

test('a delayed call is handed on when its time has come, and a reader waits for it before it closes', async () => {
  const { inner, store } = files(only('read', { delayMs: 50 }))
  const reader = await store.open(await putFile(inner, A, randomBytes(1, 10)))
  const events: string[] = []
  const reading = reader.read(0, 10).then((bytes) => events.push(`read ${bytes.length}`))
  const closing = reader.close().then(() => events.push('closed'))
  await clock.turn()
  clock.advance(49)
  await clock.turn()
  assert.deepEqual(events, [])
  await assert.rejects(reader.read(0, 1), { code: 'CLOSED' })
  clock.advance(1)
  await Promise.all([reading, closing])
  assert.deepEqual(events, ['read 10', 'closed'])
})

test('a compare-and-set whose answer is lost is found by reading', async () => {
  const inner = new MemoryHeadStore()
  let happens = false
  const store = new FaultyHeadStore(inner, {
    plan: (call) => (call.operation === 'compareAndSet' ? { error: lost, happens } : undefined),
    clock,
  })
  await assert.rejects(store.compareAndSet(SHARD, undefined, new Uint8Array(1)), lost)
  assert.equal(await store.read(SHARD), undefined)
  happens = true
  await assert.rejects(store.compareAndSet(SHARD, undefined, new Uint8Array(2)), lost)
  assert.equal((await store.read(SHARD))?.content.length, 2)
})

test('faults by chance are the same for the same seed, and of finishes both outcomes occur', async () => {
  async function history(seed: number): Promise<string> {
    const { inner, store } = files(randomFaults(new SeededRandom(seed), { failures: 0.3 }))
    const outcomes: string[] = []
    for (let index = 0; index < 200; index++) {
      const name = fileName(`f${index}`)
      const outcome = await putFile(store, name, new Uint8Array(index)).catch((error: unknown) => error)
      const there = (await inner.list(name)).some((info) => info.name === name)
      const code = outcome instanceof VarveError ? outcome.code : 'finished'
      if (code !== 'OUTCOME_UNKNOWN') assert.equal(there, code === 'finished', 'only a lost answer leaves a doubt')
      else assert.ok(isCode(outcome, 'OUTCOME_UNKNOWN'))
      outcomes.push(`${code} ${String(there)}`)
    }
    return outcomes.join()
  }
  const [one, same, other] = [await history(1), await history(1), await history(2)]
  assert.equal(one, same)
  assert.notEqual(one, other)
  for (const outcome of ['finished true', 'IO_FAILED false', 'OUTCOME_UNKNOWN true', 'OUTCOME_UNKNOWN false'])
    assert.ok(one.includes(outcome), outcome)
})

test('rates that are no shares are refused by name', () => {
  for (const rates of [{ failures: -0.1 }, { failures: 2 }, { delays: Number.NaN }, { delayMsMax: -1 }])
    assert.throws(() => randomFaults(new SeededRandom(1), rates), {
      name: 'RangeError',
      message: /failures|delays|delayMsMax/,
    })
})
