import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { KIB } from '../kernel/limits.ts'
import { FaultyWire, faultyDial } from '../testing/faulty-wire.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { RpcClient } from './client.ts'
import { dialLoopback, loopbackPair } from './loopback.ts'
import type { RpcRequest, RpcService, Wire } from './rpc.ts'
import { RpcServer } from './server.ts'
import type { RpcSettings } from './settings.ts'

const hash = await loadHash()

class Bench {
  readonly clock = new SimulatedClock()
  readonly random = new SeededRandom(1)
  readonly seen: unknown[] = []
  readonly signals: AbortSignal[] = []
  readonly held: (() => void)[] = []
  sessions = 0
  readonly server: RpcServer
  readonly settings: Partial<RpcSettings>

  constructor(settings: Partial<RpcSettings> = {}) {
    this.settings = settings
    const service: RpcService = {
      name: 'test',
      roles: ['files'],
      openSession: () => {
        this.sessions++
        return {
          call: async (request) => this.#call(request),
          close: async () => void this.sessions--,
        }
      },
    }
    this.server = new RpcServer({ services: [service], clock: this.clock, hash, settings })
  }

  client(dial = dialLoopback(this.server)): RpcClient {
    const { clock, random, settings } = this
    return new RpcClient({ dial, clock, hash, random, settings })
  }

  /** Lets time pass until `work` has settled. */
  async during<T>(work: Promise<T>, msPerTurn = 50): Promise<T> {
    let settled = false
    const end = (): void => void (settled = true)
    work.then(end, end)
    for (let turn = 0; !settled; turn++) {
      assert.ok(turn < 100_000, 'nothing settled')
      await this.clock.turn()
      this.clock.advance(msPerTurn)
    }
    return work
  }

  async #call({ method, parameters, body, signal }: RpcRequest): Promise<{ value?: unknown; body?: Uint8Array }> {
    this.seen.push(parameters[0])
    this.signals.push(signal)
    if (method === 'hold') {
      await new Promise<void>((resolve) => {
        this.held.push(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      signal.throwIfAborted()
    }
    return { value: parameters[0], body: body.slice() }
  }
}

const call = (method: string, value: unknown = null) => ({ service: 'test', method, parameters: [value] }) as const

test('a call that takes too long ends with IO_FAILED, or OUTCOME_UNKNOWN where it has an effect, and is cancelled', async () => {
  const bench = new Bench()
  const client = bench.client()
  for (const [effect, code] of [
    [false, 'IO_FAILED'],
    [true, 'OUTCOME_UNKNOWN'],
  ] as const) {
    const connection = await client.connection()
    const error = await bench.during(
      connection.call({ ...call('hold'), timeoutMs: 500, effect }).then(
        () => assert.fail('it was answered'),
        (reason: unknown) => reason,
      ),
    )
    assert.ok(isCode(error, code), String(error))
  }
  await bench.clock.turn()
  assert.ok(
    bench.signals.every(({ aborted }) => aborted),
    'the service hears of it',
  )
  await bench.during(client.call(call('plain', 'goes on')))
  await client.close()
})

test('an aborted call is ABORTED with its reason, and the service hears of it', async () => {
  const bench = new Bench()
  const client = bench.client()
  const stop = new AbortController()
  const held = client.call({ ...call('hold'), signal: stop.signal })
  await bench.clock.turn()
  const reason = new Error('enough')
  stop.abort(reason)
  await assert.rejects(held, (error) => isCode(error, 'ABORTED') && error.cause === reason)
  await bench.clock.turn()
  assert.equal(bench.signals[0]?.aborted, true)
  await client.close()
})

test('calls beyond the limits wait their turn, and one larger than all of it goes alone', async () => {
  const bench = new Bench({ inFlightBytesMax: 64 * KIB, callsMax: 3 })
  const client = bench.client()
  const small = Array.from({ length: 5 }, (_, index) => client.call(call('hold', index)))
  await bench.clock.turn()
  assert.deepEqual(bench.seen, [0, 1, 2], 'three at a time')
  bench.held.shift()?.()
  await bench.clock.turn()
  assert.deepEqual(bench.seen, [0, 1, 2, 3], 'an answer makes room for the next')
  while (bench.held.length > 0 || bench.seen.length < 5) {
    for (const release of bench.held.splice(0)) release()
    await bench.clock.turn()
  }
  await Promise.all(small)
  const bodies = [40, 40, 200, 10].map((kib) => new Uint8Array(kib * KIB))
  const large = bodies.map((body) => client.call({ ...call('hold', body.length), body }))
  const order: unknown[] = []
  while (order.length < 4) {
    await bench.clock.turn()
    order.push(...bench.seen.splice(5))
    assert.ok(bench.held.length <= 1, 'no two of these fit together')
    for (const release of bench.held.splice(0)) release()
  }
  assert.deepEqual(
    (await Promise.all(large)).map(({ body }) => body.length),
    bodies.map(({ length }) => length),
  )
  await client.close()
})

test('a half-open connection is noticed by both sides, and a quiet one stays', async () => {
  const bench = new Bench()
  const wires: FaultyWire[] = []
  const dial = async (): Promise<Wire> => {
    const [client, accepted] = loopbackPair()
    bench.server.accept(accepted)
    wires.push(new FaultyWire(client, { random: bench.random, clock: bench.clock, faults: {} }))
    return wires.at(-1) as Wire
  }
  const client = bench.client(dial)
  await client.call(call('plain'))
  for (let second = 0; second < 120; second++) {
    bench.clock.advance(1_000)
    for (let turn = 0; turn < 3; turn++) await bench.clock.turn()
  }
  assert.equal(bench.sessions, 1, 'two quiet minutes are no loss')
  wires[0]?.silence()
  const startMs = bench.clock.monotonic()
  const held = (await client.connection()).call({ ...call('hold'), timeoutMs: 0, effect: true })
  await bench.during(assert.rejects(held, { code: 'OUTCOME_UNKNOWN' }), 100)
  assert.ok(bench.clock.monotonic() - startMs < 25_000, 'it takes the time that was set, and a heartbeat')
  await bench.during(
    (async () => {
      while (bench.sessions > 0) await bench.clock.turn()
    })(),
    100,
  )
  await client.call(call('plain', 'anew'))
  assert.equal(wires.length, 2, 'the client has made another connection')
  await client.close()
})

test('a pause of this process is not taken for silence of the peer', async () => {
  const bench = new Bench()
  const client = bench.client()
  await client.call(call('plain'))
  // All timers are due at once, and what has arrived meanwhile is read only after them.
  bench.clock.advance(4_999)
  await bench.clock.turn()
  const frozen = bench.clock.monotonic()
  Object.defineProperty(bench.clock, 'monotonic', { value: () => frozen + 60_000, configurable: true })
  bench.clock.advance(1)
  delete (bench.clock as { monotonic?: unknown }).monotonic
  await bench.clock.turn()
  assert.equal(bench.sessions, 1, 'the connection is still there')
  await client.close()
})

test('over a wire that loses, repeats, swaps, delays, damages and cuts, no answer is wrong and every call settles', async () => {
  let repeated = 0
  let unknown = 0
  for (let seed = 1; seed <= 12; seed++) {
    const bench = new Bench()
    const faults = {
      dropsOnceIn: 60,
      repeatsOnceIn: 60,
      swapsOnceIn: 60,
      damagesOnceIn: 60,
      cutsOnceIn: 60,
      delayTurnsMax: 3,
    }
    const random = new SeededRandom(seed)
    const client = bench.client(faultyDial(dialLoopback(bench.server), { random, clock: bench.clock, faults }))
    const outcomes = await bench.during(
      Promise.all(
        Array.from({ length: 150 }, async (_, index) => {
          const effect = index % 2 === 1
          const body = new Uint8Array(index * 17).fill(index)
          try {
            const reply = await client.call({ ...call('plain', index), body, effect, timeoutMs: 600_000 })
            assert.equal(reply.value, index, 'an answer belongs to its call')
            assert.ok(Buffer.compare(reply.body, body) === 0, 'and has its bytes')
            return 'answered'
          } catch (error) {
            assert.ok(error instanceof VarveError, String(error))
            assert.equal(error.code, 'OUTCOME_UNKNOWN', 'what has no effect is made again until it is answered')
            assert.ok(effect)
            return 'unknown'
          }
        }),
      ),
    )
    for (let index = 0; index < 150; index++) {
      const times = bench.seen.filter((value) => value === index).length
      if (index % 2 === 1) assert.ok(times <= 1, 'what has an effect is never made twice')
      else if (times > 1) repeated++
      if (outcomes[index] === 'answered') assert.ok(times >= 1)
    }
    unknown += outcomes.filter((outcome) => outcome === 'unknown').length
    await client.close()
  }
  assert.ok(repeated > 0 && unknown > 0, `${repeated} repeated, ${unknown} unknown: the wire was too good`)
})

test('a server that closes answers what it works on, and takes nothing more', async () => {
  const bench = new Bench()
  const client = bench.client()
  const held = client.call(call('hold', 'held'))
  await bench.clock.turn()
  const closing = bench.server.close()
  const late = client.call({ ...call('plain', 'late'), timeoutMs: 200 })
  await bench.clock.turn()
  for (const release of bench.held) release()
  assert.equal((await held).value, 'held')
  await closing
  await bench.during(assert.rejects(late, { code: 'IO_FAILED' }))
  assert.deepEqual([bench.seen, bench.sessions], [['held'], 0])
  await client.close()
})

test('a client that was never connected gives up after openMs, and says where, why and what to look at', async () => {
  for (const openMs of [undefined, 2_000]) {
    const bench = new Bench(openMs === undefined ? {} : { openMs })
    const refused = new VarveError('IO_FAILED', 'tcp://db.test:1: connect ECONNREFUSED')
    const client = bench.client(() => Promise.reject(refused))
    const calling = client.call({ service: 'test', method: 'echo', parameters: [] })
    const error = await bench.during(calling.then(() => 'answered', String))
    assert.match(error, /tcp:\/\/db\.test:1: connect ECONNREFUSED; is the address right.*openMs/)
    const tookMs = bench.clock.monotonic()
    assert.ok(tookMs <= (openMs ?? 10_000) && tookMs > (openMs ?? 10_000) / 2, `it took ${tookMs} ms`)
    await client.close()
  }
})

test('a server that takes connections and never greets is named', async () => {
  const bench = new Bench()
  const client = bench.client(() => Promise.resolve(loopbackPair()[0]))
  const calling = client.call({ service: 'test', method: 'echo', parameters: [] })
  const error = await bench.during(calling.then(() => 'answered', String))
  assert.match(error, /the server in this process: no greeting within 5000 ms; is the address right/)
  assert.ok(bench.clock.monotonic() <= 15_000, 'openMs, and the last greeting')
})

test('a client that was connected once waits as long as its calls do, and one whose call has no end for ever', async () => {
  const bench = new Bench({ callMs: 60_000 })
  const inner = dialLoopback(bench.server)
  let dials = 0
  const dial: typeof inner = (signal) =>
    dials++ === 0 ? inner(signal) : Promise.reject(new VarveError('IO_FAILED', 'gone'))
  const client = bench.client(dial)
  ;(await bench.during(client.connection())).close()
  await bench.during(client.call({ service: 'test', method: 'echo', parameters: [] }).catch(() => undefined))
  assert.ok(bench.clock.monotonic() > 55_000, `it gave up after ${bench.clock.monotonic()} ms`)
  await client.close()

  const waiting = bench.client((signal) =>
    bench.clock.monotonic() < 200_000 ? Promise.reject(new VarveError('IO_FAILED', 'not yet')) : inner(signal),
  )
  await bench.during(waiting.call({ service: 'test', method: 'echo', parameters: [], timeoutMs: 0 }))
  await waiting.close()
})
