import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SocketWire } from './socket-wire.ts'

/** Two ends of a connection, of which the second does not end because the first does. */
async function connected(): Promise<readonly [net.Socket, net.Socket]> {
  const listener = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const arrived = once(listener, 'connection') as Promise<[net.Socket]>
  const first = net.connect((listener.address() as AddressInfo).port, '127.0.0.1')
  await once(first, 'connect')
  const [second] = await arrived
  listener.close()
  return [first, second]
}

test('a wire that has ended keeps no socket, though the other end keeps its own and sends on', async () => {
  const [own, other] = await connected()
  other.on('error', () => undefined)
  const wire = new SocketWire(own, 'another', 'local')
  wire.listen({ received: () => undefined, drained: () => undefined, ended: () => undefined })
  wire.pause()
  other.write(new Uint8Array(1_000))
  wire.end()
  other.resume()
  await once(other, 'end')
  for (let turn = 0; turn < 1_000 && !own.destroyed; turn++) await new Promise((resolve) => setImmediate(resolve))
  const { destroyed } = own
  own.destroy()
  other.destroy()
  assert.ok(destroyed)
})
