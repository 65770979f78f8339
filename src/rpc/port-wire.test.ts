import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { PortWire } from './port-wire.ts'

/** Writes down what a wire hears. */
class Listener {
  readonly heard: string[] = []
  readonly #waiting: (() => void)[] = []

  constructor(wire: PortWire) {
    wire.listen({
      received: (bytes) => this.#note(Buffer.from(bytes).toString()),
      drained: () => this.#note('drained'),
      ended: (reason) => this.#note(`ended: ${reason}`),
    })
  }

  async until(count: number): Promise<readonly string[]> {
    while (this.heard.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.heard.splice(0)
  }

  #note(what: string): void {
    this.heard.push(what)
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

function wires(): { readonly [side in 'near' | 'far']: { readonly wire: PortWire; readonly listener: Listener } } {
  const { port1, port2 } = new MessageChannel()
  const [near, far] = [new PortWire(port1, 'near'), new PortWire(port2, 'far')]
  return {
    near: { wire: near, listener: new Listener(near) },
    far: { wire: far, listener: new Listener(far) },
  }
}

test("what is sent counts until it is heard, and stays the sender's own", async () => {
  const { near, far } = wires()
  const bytes = Buffer.from('hello')
  near.wire.send([bytes, Buffer.from(', world')])
  assert.equal(near.wire.bufferedBytes, 12)
  bytes.fill(0)
  assert.deepEqual(await far.listener.until(1), ['hello, world'])
  assert.deepEqual(await near.listener.until(1), ['drained'])
  assert.equal(near.wire.bufferedBytes, 0)
  near.wire.end()
  assert.deepEqual(await far.listener.until(1), ['ended: the other end has gone'])
})

test(
  'a wire that is paused hears nothing and has nothing counted as heard; then everything, in order',
  { timeout: 60_000 },
  async () => {
    const { near, far } = wires()
    far.wire.pause()
    for (const each of ['a', 'b', 'c']) near.wire.send([Buffer.from(each)])
    // That it was heard is said behind them on the same way: when that is here, so are they.
    far.wire.send([Buffer.from('asked')])
    assert.deepEqual(await near.listener.until(1), ['asked'])
    near.wire.send([Buffer.from('d')])
    assert.deepEqual(await far.listener.until(1), ['drained'])
    assert.equal(near.wire.bufferedBytes, 4)
    far.wire.resume()
    assert.deepEqual(await far.listener.until(4), ['a', 'b', 'c', 'd'])
    assert.deepEqual(await near.listener.until(4), ['drained', 'drained', 'drained', 'drained'])
    assert.equal(near.wire.bufferedBytes, 0)
    near.wire.destroy()
    await far.listener.until(1)
  },
)

test('a wire that ends is told so once, on both sides, and takes nothing any more', { timeout: 60_000 }, async () => {
  const { near, far } = wires()
  near.wire.end()
  near.wire.end()
  near.wire.send([Buffer.from('late')])
  assert.equal(near.wire.bufferedBytes, 0)
  assert.deepEqual(await near.listener.until(1), ['ended: ended here'])
  assert.deepEqual(await far.listener.until(1), ['ended: the other end has gone'])
  far.wire.end()
  assert.deepEqual(far.listener.heard, [])
})

test('what is no bytes ends a wire', { timeout: 60_000 }, async () => {
  const { port1, port2 } = new MessageChannel()
  const listener = new Listener(new PortWire(port1, 'near'))
  port2.postMessage({ text: 'hello' })
  assert.deepEqual(await listener.until(1), ['ended: the other end sent what are no bytes'])
  port2.close()
})
