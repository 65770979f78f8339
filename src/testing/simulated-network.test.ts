import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Wire } from '../rpc/rpc.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedNetwork } from './simulated-network.ts'
import type { NetworkPlace } from './simulated-network.ts'
import { SimulatedScheduler } from './simulated-scheduler.ts'

/** Two machines, of which one keeps what it hears. */
class Pair {
  readonly scheduler = new SimulatedScheduler({ random: new SeededRandom(1), slackMs: 5 })
  readonly network = new SimulatedNetwork({
    scheduler: this.scheduler,
    random: new SeededRandom(2),
    latencyMs: () => 1,
  })
  readonly client = this.network.join('client', this.scheduler.process())
  server = this.listen()
  heard: number[] = []
  ended: string[] = []

  listen(): NetworkPlace {
    const place = this.network.join('server', this.scheduler.process())
    place.listen((wire) => this.#note(wire, 'server'))
    return place
  }

  async dial(): Promise<Wire> {
    const wire = await this.scheduler.run(this.client.dial('server')(new AbortController().signal))
    this.#note(wire, 'client')
    return wire
  }

  #note(wire: Wire, who: string): void {
    wire.listen({
      received: (bytes) => this.heard.push(...bytes),
      drained: () => undefined,
      ended: () => void this.ended.push(who),
    })
  }
}

test('pieces arrive in order after a while, and the end behind them', async () => {
  const pair = new Pair()
  const wire = await pair.dial()
  for (let piece = 0; piece < 20; piece++) wire.send([Uint8Array.of(piece)])
  wire.end()
  assert.deepEqual(pair.heard, [])
  await pair.scheduler.pass(100)
  assert.deepEqual(
    pair.heard,
    Array.from({ length: 20 }, (_, piece) => piece),
  )
  assert.deepEqual(pair.ended, ['client', 'server'])
})

test('what is sent between machines that are parted waits, one way or both, and nobody is told', async () => {
  const pair = new Pair()
  const wire = await pair.dial()
  pair.network.part('client', 'server')
  wire.send([Uint8Array.of(1)])
  await pair.scheduler.pass(60_000)
  assert.deepEqual([pair.heard, pair.ended], [[], []])
  pair.network.heal()
  await pair.scheduler.pass(10)
  assert.deepEqual(pair.heard, [1])
  pair.network.part('server', 'client')
  wire.send([Uint8Array.of(2)])
  await pair.scheduler.pass(10)
  assert.deepEqual(pair.heard, [1, 2], 'the other way is open')
  const giveUp = new AbortController()
  const dialling = pair.client.dial('server')(giveUp.signal)
  await pair.scheduler.pass(10)
  giveUp.abort()
  await assert.rejects(dialling, { code: 'IO_FAILED' })
})

test('a process that is killed ends its connections; one without power leaves them open until its machine is back', async () => {
  const pair = new Pair()
  await pair.dial()
  pair.server.process.kill()
  pair.server.leave('reset')
  await pair.scheduler.pass(10)
  assert.deepEqual(pair.ended, ['client'])
  await assert.rejects(pair.dial(), { code: 'IO_FAILED' })
  pair.server = pair.listen()
  const wire = await pair.dial()
  await pair.scheduler.pass(10)
  pair.server.process.kill()
  pair.server.leave('silence')
  wire.send([Uint8Array.of(1)])
  await pair.scheduler.pass(60_000)
  assert.deepEqual(pair.ended, ['client'], 'nobody is there to say so')
  pair.server = pair.listen()
  wire.send([Uint8Array.of(2)])
  await pair.scheduler.pass(10)
  assert.deepEqual([pair.ended, pair.heard], [['client', 'client'], []])
})

test('a process that is stopped hears nothing until it goes on, and then everything', async () => {
  const pair = new Pair()
  const wire = await pair.dial()
  let fired = 0
  pair.server.process.stop()
  pair.server.process.after(5, () => fired++)
  pair.server.process.after(5, () => fired++).cancel()
  const cancelled = pair.server.process.after(5, () => fired++)
  wire.send([Uint8Array.of(1)])
  await pair.scheduler.pass(60_000)
  assert.deepEqual([pair.heard, fired], [[], 0])
  cancelled.cancel()
  pair.server.process.resume()
  await pair.scheduler.pass(10)
  assert.deepEqual([pair.heard, fired], [[1], 1])
})

test('faults lose, repeat and damage pieces and cut connections, as often as they say', async () => {
  const pair = new Pair()
  pair.network.faults = { dropsOnceIn: 10, repeatsOnceIn: 10, damagesOnceIn: 10, cutsOnceIn: 200 }
  for (let connection = 0; connection < 20; connection++) {
    const wire = await pair.dial()
    for (let piece = 0; piece < 50; piece++) wire.send([new Uint8Array(1)])
    await pair.scheduler.pass(200)
  }
  const { counts } = pair.network
  for (const [fault, expected] of Object.entries({ drops: 100, repeats: 100, damages: 100, cuts: 5 })) {
    const count = counts[`network ${fault}`] ?? 0
    assert.ok(count > expected / 3 && count < expected * 3, `${fault}: ${count}`)
  }
  assert.ok(pair.heard.some((byte) => byte !== 0))
  assert.ok(pair.ended.filter((who) => who === 'server').length >= (counts['network cuts'] ?? 0) / 2)
})
