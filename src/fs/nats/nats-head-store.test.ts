import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { shardId } from '../../kernel/ids.ts'
import type { NatsLogSettings } from '../../nats/log-settings.ts'
import { testHeadStore } from '../../testing/head-store-conformance.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { NO_FAULTS, SimulatedServer, SimulatedStreams } from '../../../test/nats/simulated-streams.ts'
import type { StreamFaults } from '../../../test/nats/simulated-streams.ts'
import { TurningClock } from '../../../test/nats/turning-clock.ts'
import type { HeadVersion } from '../fs.ts'
import { NatsHeadStore } from './nats-head-store.ts'

const hash = await loadHash()
const SHARD = shardId('shard-1')
const STREAM = 'varve-head-shard-1'
const bytes = (text: string): Uint8Array => Buffer.from(text)

class Place {
  readonly server = new SimulatedServer()
  readonly clock = new TurningClock()
  readonly random: SeededRandom

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
  }

  open(faults: StreamFaults = NO_FAULTS, settings: Partial<NatsLogSettings> = {}): [NatsHeadStore, SimulatedStreams] {
    const { server, clock, random } = this
    const streams = new SimulatedStreams({ server, clock, random: new SeededRandom(random.u32()), faults })
    const store = new NatsHeadStore({ streams, hash, clock, random, settings: { resumeMs: 2_000, ...settings } })
    return [store, streams]
  }
}

testHeadStore({
  test,
  name: 'heads on simulated streams',
  open: () => {
    const place = new Place(1)
    return Promise.resolve({ open: () => Promise.resolve(place.open()[0]) })
  },
  skip: [{ test: 'what was set survives a power cut', reason: 'a JetStream server may acknowledge before it syncs' }],
})

test('over faults of every kind no step of a counter is lost, and none is made twice but where nobody heard of it', async () => {
  const outcomes = { made: 0, conflicts: 0 }
  for (let seed = 1; seed <= 15; seed++) {
    const place = new Place(seed)
    const faults = { answerLost: 30, lost: 30, late: 20, lags: 40 }
    const steps = 6
    // A head of three messages each.
    const settings = { fragmentBytes: 30, resumeMs: 100_000 }
    const count = async (): Promise<void> => {
      const [store] = place.open(faults, settings)
      for (let done = 0; done < steps;) {
        const head = await store.read(SHARD)
        const [value = '0'] = head === undefined ? [] : Buffer.from(head.content).toString().split(' ')
        const next = bytes(`${Number(value) + 1} `.padEnd(80))
        const outcome = await store.compareAndSet(SHARD, head?.version, next).catch((error: unknown) => error)
        if (typeof outcome === 'string') {
          done++
          outcomes.made++
        } else {
          assert.ok(isCode(outcome, 'HEAD_CONFLICT'), `seed ${seed}: ${String(outcome)}`)
          outcomes.conflicts++
        }
      }
    }
    await Promise.all([count(), count(), count()])
    const head = await place.open()[0].read(SHARD)
    const sum = Number(Buffer.from(head?.content ?? []).toString())
    assert.ok(sum >= 3 * steps, `seed ${seed}: ${3 * steps} acknowledged steps, ${sum} counted`)
    assert.ok(sum <= 3 * steps + 4, `seed ${seed}: ${sum} is more than conflicts that nobody heard of can explain`)
  }
  assert.equal(outcomes.made, 15 * 18)
  assert.ok(outcomes.conflicts > 50, `${outcomes.conflicts} conflicts`)
})

test('a writer that died between two messages leaves the head as it was, and its place is taken', async () => {
  const place = new Place(1)
  const [first] = place.open(NO_FAULTS, { fragmentBytes: 30 })
  const version = await first.compareAndSet(SHARD, undefined, bytes('whole'.padEnd(70)))
  const [dying, streams] = place.open(NO_FAULTS, { fragmentBytes: 30, resumeMs: 20 })
  let left = 2
  streams.before = () => {
    if (--left === 0) streams.cut = true
  }
  await assert.rejects(dying.compareAndSet(SHARD, version, bytes('half'.padEnd(100))), (error) =>
    isCode(error, 'OUTCOME_UNKNOWN'),
  )
  assert.ok((place.server.streams.get(STREAM)?.last ?? 0) > 3, 'some of it is there')
  assert.deepEqual(await first.read(SHARD), { version, content: new Uint8Array(bytes('whole'.padEnd(70))) })
  const next = await first.compareAndSet(SHARD, version, bytes('next'))
  assert.deepEqual(await first.read(SHARD), { version: next, content: new Uint8Array(bytes('next')) })
})

test('a head that was changed, or is of another shard, is HEAD_CORRUPT', async () => {
  const place = new Place(1)
  const [store] = place.open()
  await store.compareAndSet(SHARD, undefined, bytes('content'))
  await store.compareAndSet(shardId('other'), undefined, bytes('content'))
  const messages = place.server.streams.get(STREAM)?.messages
  const whole = messages?.get(1)
  assert.ok(messages !== undefined && whole !== undefined)
  const corrupt = (error: unknown): boolean => isCode(error, 'HEAD_CORRUPT')
  for (let at = 0; at < whole.length; at++) {
    messages.set(
      1,
      whole.map((byte, index) => (index === at ? byte ^ 16 : byte)),
    )
    await assert.rejects(store.read(SHARD), corrupt, `byte ${at}`)
  }
  messages.set(1, place.server.streams.get('varve-head-other')?.messages.get(1) ?? whole)
  await assert.rejects(store.read(SHARD), corrupt)
  await assert.rejects(store.compareAndSet(SHARD, '1-0' as HeadVersion, bytes('x')), corrupt)
})

test('a stream that is full refuses a head and keeps the one before', async () => {
  const place = new Place(1)
  const [store] = place.open()
  const version = await store.compareAndSet(SHARD, undefined, bytes('first'))
  place.server.messagesMax = 1
  await assert.rejects(store.compareAndSet(SHARD, version, bytes('second')), (error) => isCode(error, 'NO_SPACE'))
  assert.equal((await store.read(SHARD))?.version, version)
})

test('a change that only a former leader has is not taken for made', async () => {
  const place = new Place(1)
  const [first, streams] = place.open()
  const version = await first.compareAndSet(SHARD, undefined, bytes('one'))
  const publish = streams.publish.bind(streams)
  let heard!: () => void
  const made = new Promise<void>((resolve) => (heard = resolve))
  let goOn!: () => void
  const dropping = new Promise<void>((resolve) => (goOn = resolve))
  streams.publish = async (...given) => {
    streams.publish = publish
    await publish(...given)
    heard()
    await dropping
    throw new VarveError('IO_FAILED', 'the answer was lost', { details: { operation: 'publish' } })
  }
  const changing = first.compareAndSet(SHARD, version, bytes('two')).catch((error: unknown) => error)
  const stream = place.server.streams.get(STREAM)
  assert.ok(stream !== undefined)
  await made
  // The others drop it, and have something else in its place.
  const dropped = stream.messages.get(2)
  assert.ok(dropped !== undefined)
  stream.messages.delete(2)
  stream.last = 1
  const [second] = place.open()
  const other = await second.compareAndSet(SHARD, version, bytes('other'))
  const last = await second.compareAndSet(SHARD, other, bytes('another'))
  let former = 3
  const [state, message] = [streams.state.bind(streams), streams.message.bind(streams)]
  streams.ensure = async () => {
    const now = await state(STREAM)
    assert.ok(now !== undefined)
    return former-- > 0 ? { ...now, first: 1, last: 2 } : now
  }
  streams.message = (name, sequence) =>
    former >= 0 && sequence === 2 ? Promise.resolve({ sequence, data: dropped }) : message(name, sequence)
  goOn()
  assert.ok(isCode(await changing, 'HEAD_CONFLICT'), String(await changing))
  assert.equal((await second.read(SHARD))?.version, last)
})
