import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VarveError } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { KIB } from '../kernel/limits.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { Access, checkFileName, checkShard } from './access.ts'
import { RpcClient } from './client.ts'
import { encodeHeader, frameSeed } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import type { Frame } from './frame.ts'
import { encodeHello } from './hello.ts'
import { dialLoopback, loopbackPair } from './loopback.ts'
import { RpcServer } from './server.ts'
import type { Wire } from './rpc.ts'

const hash = await loadHash()
const NOTHING = new Uint8Array(0)
const TOKEN = 'a token for tests'

function frameBytes(frame: Partial<Frame>, sequence = 0): Uint8Array {
  const whole: Frame = { kind: 'hello', call: 0, more: false, control: NOTHING, body: NOTHING, ...frame }
  const header = encodeHeader(whole, frameSeed('toServer', sequence), hash)
  return Buffer.concat([header, whole.control, whole.body])
}

/** A connection that says what it likes, and hears whether it has been cut off. */
class Stranger {
  readonly #wire: Wire
  readonly heard: Uint8Array[] = []
  cut = false

  constructor(server: RpcServer) {
    const [wire, accepted] = loopbackPair()
    this.#wire = wire
    wire.listen({
      received: (bytes) => void this.heard.push(bytes),
      drained: () => undefined,
      ended: () => void (this.cut = true),
    })
    server.accept(accepted)
  }

  say(bytes: Uint8Array): void {
    this.#wire.send([bytes])
  }
}

function guarded(clock = new SimulatedClock()): RpcServer {
  const access = new Access([{ name: 'known', token: TOKEN }])
  return new RpcServer({ services: [], clock, hash, access })
}

test('a stranger that says anything but a small hello is cut off', async () => {
  const clock = new SimulatedClock()
  const hello = encodeHello(new TextEncoder().encode(TOKEN))
  const huge = encodeHeader(
    { kind: 'hello', call: 0, more: false, control: new Uint8Array(4 * KIB + 1), body: NOTHING },
    frameSeed('toServer', 0),
    hash,
  )
  const damaged = frameBytes({ control: hello })
  damaged[30] = (damaged[30] as number) ^ 1
  for (const [what, bytes] of [
    ['a request with what would have been a hello', frameBytes({ kind: 'request', call: 1, control: hello })],
    ['a request', frameBytes({ kind: 'request', call: 1, control: Uint8Array.of(0xc0) })],
    ['a length over the limit, and nothing behind it', huge],
    ['what is no frame', new TextEncoder().encode('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n')],
    ['zeros', new Uint8Array(64)],
    ['a damaged hello', damaged],
    ['another number', frameBytes({ control: hello }, 1)],
    ['a wrong token', frameBytes({ control: encodeHello(new TextEncoder().encode('another token yes')) })],
    ['no token', frameBytes({ control: encodeHello(NOTHING) })],
    ['a hello cut off', frameBytes({ control: hello.subarray(0, hello.length - 1) })],
    ['a hello of another kind of server', frameBytes({ control: new Uint8Array(20).fill(0x81) })],
  ] as const) {
    const stranger = new Stranger(guarded(clock))
    stranger.say(bytes)
    for (let turn = 0; turn < 3; turn++) await clock.turn()
    assert.ok(stranger.cut, what)
    assert.ok(!Buffer.concat(stranger.heard).includes(TOKEN), 'nothing says what would have been right')
  }
  const known = new Stranger(guarded(clock))
  known.say(frameBytes({ control: hello }))
  for (let turn = 0; turn < 3; turn++) await clock.turn()
  assert.ok(!known.cut && known.heard.length === 1, 'the right token is let in')
  known.say(frameBytes({ kind: 'request', call: 1, control: Uint8Array.of(0xc0) }, 1))
  for (let turn = 0; turn < 3; turn++) await clock.turn()
  assert.ok(known.cut, 'who is known says what is no request')
})

test('a stranger is not answered as peers are, and one that says nothing in time is cut off', async () => {
  const clock = new SimulatedClock()
  const server = guarded(clock)
  const chatty = new Stranger(server)
  chatty.say(Buffer.concat(Array.from({ length: 2_000 }, (_, sequence) => frameBytes({ kind: 'ping' }, sequence))))
  for (let turn = 0; turn < 3; turn++) await clock.turn()
  assert.ok(chatty.cut && Buffer.concat(chatty.heard).length < 200, 'one refusal answers all of it')
  const large = new Stranger(server)
  large.say(new Uint8Array(65 * KIB))
  for (let turn = 0; turn < 3; turn++) await clock.turn()
  assert.ok(large.cut)
  const silent = new Stranger(server)
  const slow = new Stranger(server)
  for (let second = 0; second < 6; second++) {
    slow.say(Uint8Array.of(second))
    clock.advance(1_000)
    await clock.turn()
  }
  assert.ok(silent.cut && slow.cut)
})

test('of too many strangers the oldest goes, and a client that knows its token comes in', async () => {
  const clock = new SimulatedClock()
  const server = guarded(clock)
  const strangers = Array.from({ length: 2_100 }, () => new Stranger(server))
  await clock.turn()
  assert.equal(strangers.filter(({ cut }) => cut).length, 52)
  assert.ok(strangers[0]?.cut && strangers[51]?.cut && !strangers[52]?.cut)
  const client = new RpcClient({
    dial: dialLoopback(server),
    clock,
    hash,
    random: new SeededRandom(1),
    token: TOKEN,
  })
  await client.connection()
  assert.equal(server.peerCount, 1)
  await client.close()
})

test('frames come out as they went in, however the bytes are cut, and any changed bit is noticed', () => {
  const frame = fc.record({
    call: fc.integer({ min: 0, max: 0xffff_ffff }),
    more: fc.boolean(),
    control: fc.uint8Array({ maxLength: 50 }),
    body: fc.uint8Array({ maxLength: 200 }),
  })
  const limits = { frameBytesMax: 1000, totalBytesMax: 1e9 }
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(100)),
      fc.nat(),
      (frames, cuts, bit) => {
        const bytes = Buffer.concat(frames.map((each, index) => frameBytes({ kind: 'request', ...each }, index)))
        const read = (input: Uint8Array): { found: Frame[]; problem: string | undefined } => {
          const found: Frame[] = []
          const reader = new FrameReader('toServer', hash, limits, (each) => void found.push(each))
          let problem: string | undefined
          for (let at = 0, index = 0; at < input.length && problem === undefined; index++) {
            const size = (cuts[index % Math.max(1, cuts.length)] ?? 1000) + 1
            problem = reader.push(input.subarray(at, at + size))
            at += size
          }
          return { found, problem }
        }
        const { found, problem } = read(bytes)
        assert.equal(problem, undefined)
        assert.deepEqual(
          found.map(({ call, more, control, body }) => [call, more, Buffer.from(control), Buffer.from(body)]),
          frames.map(({ call, more, control, body }) => [call, more, Buffer.from(control), Buffer.from(body)]),
        )
        const changed = Uint8Array.from(bytes)
        const at = bit % (bytes.length * 8)
        changed[at >> 3] = (changed[at >> 3] as number) ^ (1 << (at & 7))
        assert.ok(read(changed).found.length < frames.length, 'a changed bit ends it')
      },
    ),
  )
})

test('who has a token for one shard gets to no other, nor to its files', () => {
  const access = new Access([
    { name: 'a', token: 'the token of shard a', shards: ['a'], roles: ['files'] },
    { name: 'all', token: 'the token of them all' },
  ])
  const wire = { safety: 'open', certified: [] } as const
  const grantOf = (token: string) => access.grant(wire, new TextEncoder().encode(token), 0)
  const grant = grantOf('the token of shard a')
  assert.deepEqual([grant.name, grant.roles], ['a', ['files']])
  checkShard(grant, 'a')
  checkFileName(grant, 'a.e1-j1-a1-0.table')
  for (const denied of [
    () => checkShard(grant, 'b'),
    () => checkFileName(grant, 'b.e1-j1-a1-0.table'),
    () => checkFileName(grant, 'a'),
    () => checkFileName(grant, 'ab.x'),
    () => grantOf('the token of shard'),
    () => grantOf(''),
  ]) {
    assert.throws(denied, (error) => error instanceof VarveError && error.code === 'PERMISSION_DENIED')
  }
  checkShard(grantOf('the token of them all'), 'b')
  assert.throws(() => new Access([{ name: 'weak', token: 'short' }]), RangeError)
  assert.throws(() => new Access([{ name: 'nobody' }]), TypeError)
})

test('a token ends when its rule says, also for a connection that is open', async () => {
  const clock = new SimulatedClock(Date.parse('2027-01-31T11:59:00Z'))
  const rule = { name: 'for a while', token: TOKEN, expires: '2027-01-31T13:00:00+01:00' }
  const server = new RpcServer({ services: [], clock, hash, access: new Access([rule]) })
  const client = new RpcClient({ dial: dialLoopback(server), clock, hash, random: new SeededRandom(1), token: TOKEN })
  const call = { service: 'none', method: 'x', parameters: [] }
  await assert.rejects(client.call(call), { code: 'UNSUPPORTED' })
  clock.jump(60_000)
  await assert.rejects(client.call(call), { code: 'PERMISSION_DENIED' })
  const late = new RpcClient({ dial: dialLoopback(server), clock, hash, random: new SeededRandom(1), token: TOKEN })
  await assert.rejects(late.call(call), { code: 'PERMISSION_DENIED' })
  for (const each of [client, late, server]) await each.close()
  for (const expires of ['tomorrow', '2027-01-31', '2027-01-31T12:00:00', '2027-13-31T12:00:00Z'])
    assert.throws(() => new Access([{ ...rule, expires }]), TypeError, expires)
  assert.throws(() => new Access([{ name: 'x', certificate: 'x', expires: rule.expires }]), TypeError)
})
