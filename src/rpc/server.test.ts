import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { KIB } from '../kernel/limits.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { encodeHeader, frameSeed } from './frame.ts'
import type { Frame } from './frame.ts'
import { encodeHello } from './hello.ts'
import { loopbackPair } from './loopback.ts'
import { MessageCodec } from './message.ts'
import type { RpcReply, RpcService, Wire } from './rpc.ts'
import { RpcServer } from './server.ts'
import type { RpcSettings } from './settings.ts'

const hash = await loadHash()
const NOTHING = new Uint8Array(0)

/** A server, and one who speaks its protocol and reads when the test says so. */
class Bench {
  readonly clock = new SimulatedClock()
  readonly server: RpcServer
  readonly wire: Wire
  heardBytes = 0
  #sequence = 0

  constructor(session: { call(): Promise<Partial<RpcReply>>; close(): Promise<void> }, settings: Partial<RpcSettings>) {
    const service: RpcService = { name: 'test', roles: ['files'], openSession: () => session }
    this.server = new RpcServer({ services: [service], clock: this.clock, hash, settings })
    const [wire, accepted] = loopbackPair()
    this.wire = wire
    wire.listen({
      received: ({ length }) => void (this.heardBytes += length),
      drained: () => undefined,
      ended: () => undefined,
    })
    this.server.accept(accepted)
    this.say({ kind: 'hello', call: 0, more: false, control: encodeHello(NOTHING), body: NOTHING })
  }

  say(frame: Frame): void {
    const header = encodeHeader(frame, frameSeed('toServer', this.#sequence++), hash)
    this.wire.send([header, frame.control, frame.body])
  }

  ask(call: number): void {
    const control = new MessageCodec().encode(['test', 'ask', [], 0])
    this.say({ kind: 'request', call, more: false, control, body: NOTHING })
  }

  async turns(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await this.clock.turn()
  }
}

test('a peer that asks on and reads no answers is listened to no more, until it has read them', async () => {
  let asked = 0
  const call = async (): Promise<Partial<RpcReply>> => {
    asked++
    return { body: new Uint8Array(16 * KIB) }
  }
  const settings = { inFlightBytesMax: 64 * KIB, bufferedBytesMax: 4 * KIB }
  const bench = new Bench({ call, close: async () => undefined }, settings)
  await bench.turns()
  bench.wire.pause()
  for (let id = 1; id <= 100; id++) {
    bench.ask(id)
    await bench.turns()
  }
  assert.ok(asked >= 4 && asked < 10, `${asked} answers wait`)
  bench.wire.resume()
  await bench.turns()
  assert.ok(asked === 100 && bench.heardBytes > 100 * 16 * KIB, `${asked} asked, ${bench.heardBytes} bytes heard`)
  bench.wire.destroy()
  await bench.server.close()
})

test('a server has closed when everybody has been let go, also who had left before', async () => {
  let letGo = (): void => undefined
  const session = { call: async () => ({}), close: () => new Promise<void>((resolve) => (letGo = resolve)) }
  const bench = new Bench(session, {})
  bench.ask(1)
  await bench.turns()
  bench.wire.destroy()
  await bench.turns()
  let isClosed = false
  const closed = bench.server.close().then(() => (isClosed = true))
  await bench.turns()
  assert.equal(isClosed, false)
  letGo()
  await closed
})
