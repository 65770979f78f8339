/** Who opens a store that is not there, or not for them, is told so in a stated time, with its place and the way out. */

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import type { HttpTransport } from '../../src/fs/s3/http.ts'
import { NodeHttpTransport } from '../../src/fs/s3/node-http-transport.ts'
import type { S3ClientOptions } from '../../src/fs/s3/s3-client.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { failsWith } from '../../src/testing/expected-failure.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { errorAnswer } from './s3-double-answers.ts'
import { S3Double } from './s3-double.ts'
import { S3_CREDENTIALS, clientOf, openS3Files, openS3Heads } from './s3-place.ts'

const OPENINGS = [openS3Files, openS3Heads]
const OPEN_MS = 10_000
const STEP_MS = 50

/** Opens while time passes. @returns what came of it, and after how many milliseconds */
async function openAs(
  open: (typeof OPENINGS)[number],
  double: S3Double,
  options: Partial<S3ClientOptions>,
): Promise<{ failure: unknown; tookMs: number }> {
  const clock = (options.clock ?? new SimulatedClock()) as SimulatedClock
  const client = clientOf(double, 1, { ...options, clock })
  let settled = false
  const opening = open(client).then(
    () => undefined,
    (error: unknown) => error,
  )
  void opening.then(() => (settled = true))
  for (;;) {
    // What is under way takes some turns.
    for (let turn = 0; turn < 20 && !settled; turn++) await clock.turn()
    if (settled) break
    assert.ok(clock.monotonic() < 3_600_000, 'it never fails')
    clock.advance(STEP_MS)
  }
  const tookMs = clock.monotonic()
  assert.equal(clock.pending, 0, 'a timer was left')
  await client.close()
  return { failure: await opening, tookMs }
}

/** Answers nothing until it is given up. */
function silent(): HttpTransport {
  return {
    send: ({ signal }) =>
      new Promise((_, reject) => {
        const details = { operation: 'GET', unsent: false }
        signal.addEventListener('abort', () => reject(new VarveError('IO_FAILED', 'it was given up', { details })))
      }),
    close: () => Promise.resolve(),
  }
}

const DEAD: readonly (readonly [string, () => [S3Double, Partial<S3ClientOptions>], RegExp])[] = [
  ['nobody listens', () => [failing('refused'), {}], /connection refused/],
  ['every connection is lost', () => [failing('lost'), {}], /connection lost/],
  ['nothing but 503', () => [failing(503), {}], /503 SlowDown/],
  ['nobody answers', () => [new S3Double(), { transport: silent() }], /nothing came back|given up/],
  [
    'credentials that cannot be had',
    () => [new S3Double(), { credentials: () => Promise.reject(new Error('the vault is sealed')) }],
    /no credentials for .*the vault is sealed/,
  ],
  [
    'credentials that never come',
    () => [new S3Double(), { credentials: () => new Promise(() => undefined) }],
    /nothing came back/,
  ],
]

function failing(fault: 'refused' | 'lost' | 503): S3Double {
  const double = new S3Double()
  double.plan = () => fault
  return double
}

for (const [what, place, cause] of DEAD) {
  test(`${what}: opening fails within openMs, and says where, why and what to look at`, async () => {
    for (const open of OPENINGS) {
      for (const openMs of [undefined, 2_000]) {
        const [double, options] = place()
        const settings = openMs === undefined ? {} : { openMs }
        const { failure, tookMs } = await openAs(open, double, { ...options, settings })
        assert.ok(failure instanceof VarveError && failure.code === 'IO_FAILED', String(failure))
        assert.match(failure.message, /bucket varve at http:\/\/s3\.test/)
        assert.match(failure.message, cause)
        assert.ok(tookMs <= (openMs ?? OPEN_MS) + STEP_MS, `it took ${tookMs} ms`)
      }
    }
  })
}

test('wrong credentials are refused at once, without another try', async () => {
  for (const open of OPENINGS) {
    let sent = 0
    const send = (): ReturnType<HttpTransport['send']> => {
      sent++
      return Promise.resolve(errorAnswer(403, 'InvalidAccessKeyId'))
    }
    const transport: HttpTransport = { send, close: () => Promise.resolve() }
    const { failure, tookMs } = await openAs(open, new S3Double(), { transport })
    assert.ok(failure instanceof VarveError && failure.code === 'PERMISSION_DENIED', String(failure))
    assert.match(failure.message, /does not know this access key/)
    assert.equal(tookMs, 0)
    assert.ok(sent <= 3, `${sent} requests: two that race, and a removal`)
  }
})

test('a store that is slow, but answers, is opened, however long all of it takes', async () => {
  for (const open of OPENINGS) {
    const clock = new SimulatedClock()
    const double = new S3Double()
    const inner = double.transport()
    const transport: HttpTransport = {
      send: async (request) => {
        await new Promise<void>((resolve) => clock.after(OPEN_MS / 2, resolve))
        return inner.send(request)
      },
      close: () => inner.close(),
    }
    const { failure, tookMs } = await openAs(open, double, { clock, transport })
    assert.equal(failure, undefined)
    assert.ok(tookMs > 2 * OPEN_MS, 'it was not slow')
  }
})

test('credentials that do not come end the attempt, and those that come later are used', async () => {
  let asked = 0
  const credentials = (): Promise<typeof S3_CREDENTIALS> =>
    asked++ === 0 ? new Promise(() => undefined) : Promise.resolve(S3_CREDENTIALS)
  const settings = { attemptMs: 1_000 }
  const { failure } = await openAs(openS3Files, new S3Double(), { credentials, settings })
  assert.equal(failure, undefined)
  assert.ok(asked > 1)
})

test('a connection that is not made within connectMs is given up, and nothing was sent over it', async () => {
  const sockets: Socket[] = []
  // Takes the connection, and then says nothing of TLS.
  const server = createServer((socket) => void sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const transport = new NodeHttpTransport({ connectionsMax: 1, connectMs: 50 })
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/varve`
  const body = new Uint8Array(0)
  const { signal } = new AbortController()
  const request = { method: 'GET', url, headers: {}, body, answerBytesMax: 100, signal } as const
  const error = await failsWith(() => transport.send(request), 'IO_FAILED', 'no connection')
  assert.match(error.message, /no connection within 50 ms/)
  assert.equal(error.details['unsent'], true)
  await transport.close()
  for (const socket of sockets) socket.destroy()
  server.close()
})
