/** What every transport promises: calls arrive in order, whole, and are answered, over all of them. */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { MIB } from '../../src/kernel/limits.ts'
import { Access } from '../../src/rpc/access.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialLoopback } from '../../src/rpc/loopback.ts'
import { PortWire } from '../../src/rpc/port-wire.ts'
import type { Dial, Listening } from '../../src/rpc/rpc.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { dialSocket, listenSocket } from '../../src/rpc/socket-transport.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { AUTHORITY, CLIENT, NAMED, SERVER, STRANGER } from './certificates.ts'
import { EchoService } from './echo-service.ts'

const hash = await loadHash()
const clock = new SystemClock()
const random = new SystemRandom()

interface Opened {
  readonly dial: Dial
  readonly listening?: Listening
}

const TRANSPORTS: Readonly<Record<string, (server: RpcServer, folder: string) => Promise<Opened>>> = {
  loopback: async (server) => ({ dial: dialLoopback(server) }),
  'message port': async (server) => ({
    dial: () => {
      const { port1, port2 } = new MessageChannel()
      server.accept(new PortWire(port1, 'a thread'))
      return Promise.resolve(new PortWire(port2, 'the server'))
    },
  }),
  'Unix socket': async (server, folder) => {
    const listening = await listenSocket(`unix:${join(folder, 'rpc.sock')}`, server)
    return { listening, dial: dialSocket(listening.address) }
  },
  TCP: async (server) => {
    const listening = await listenSocket('tcp://127.0.0.1:0', server)
    return { listening, dial: dialSocket(listening.address) }
  },
  TLS: async (server) => {
    const listening = await listenSocket('tls://localhost:0', server, { identity: SERVER })
    return { listening, dial: dialSocket(listening.address, { authorities: AUTHORITY }) }
  },
}

for (const [name, open] of Object.entries(TRANSPORTS)) {
  test(`${name}: calls are sent in order and answered, whatever their size`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'varve-rpc-'))
    const service = new EchoService()
    const access = new Access(name === 'TLS' ? [{ name: 'client', token: 'a token for tests' }] : [])
    const server = new RpcServer({ services: [service], clock, hash, access })
    const { dial, listening } = await open(server, folder)
    const client = new RpcClient({ dial, clock, hash, random, token: 'a token for tests' })
    try {
      const notes = Array.from({ length: 300 }, (_, index) =>
        client.call({ service: 'echo', method: 'note', parameters: [index] }),
      )
      await Promise.all(notes)
      assert.deepEqual(
        service.seen.map(Number),
        Array.from({ length: 300 }, (_, index) => index),
        'calls arrive in order',
      )
      const sizes = [0, 1, 1000, 70_000, 256 * 1024, 256 * 1024 + 1, 3 * MIB, 9 * MIB]
      await Promise.all(
        sizes.map(async (size) => {
          const body = new Uint8Array(Buffer.alloc(size, 'any bytes in any order'))
          const reply = await client.call({ service: 'echo', method: 'echo', parameters: [size, 'text', null], body })
          assert.deepEqual(reply.value, [size, 'text', null])
          assert.ok(Buffer.compare(reply.body, body) === 0, `${size} bytes come back as they were`)
        }),
      )
      await assert.rejects(client.call({ service: 'echo', method: 'fail', parameters: [] }), (error) => {
        assert.ok(isCode(error, 'TABLE_CORRUPT'), 'the code of an error crosses the wire')
        assert.deepEqual(error.details, { file: 'a' })
        assert.match(String(error.cause), /bad bit/)
        return true
      })
      await assert.rejects(client.call({ service: 'echo', method: 'range', parameters: [] }), RangeError)
      await assert.rejects(client.call({ service: 'none', method: 'x', parameters: [] }), { code: 'UNSUPPORTED' })
    } finally {
      await client.close()
      await listening?.close()
      await server.close()
      rmSync(folder, { recursive: true })
    }
    assert.equal(service.sessionsOpen, 0, 'sessions end with their connections')
    await assert.rejects(client.call({ service: 'echo', method: 'echo', parameters: [] }), { code: 'CLOSED' })
  })
}

test('a certificate that an authority has signed is as good as a token, and another with the same name is not', async () => {
  const service = new EchoService()
  const access = new Access([{ name: 'by certificate', certificate: 'client', shards: ['a'] }])
  const server = new RpcServer({ services: [service], clock, hash, access })
  const options = { identity: SERVER, authorities: AUTHORITY }
  const listening = await listenSocket('tls://localhost:0', server, options)
  try {
    for (const [identity, admitted] of [
      [CLIENT, true],
      [STRANGER, false],
      [undefined, false],
    ] as const) {
      const trust = { authorities: AUTHORITY, ...(identity === undefined ? {} : { identity }) }
      const client = new RpcClient({ dial: dialSocket(listening.address, trust), clock, hash, random })
      const called = client.call({ service: 'echo', method: 'echo', parameters: [] })
      if (admitted) {
        await called
        assert.equal(service.peers[0]?.grant.name, 'by certificate')
        assert.deepEqual(service.peers[0]?.grant.shards, ['a'])
      } else await assert.rejects(called, { code: 'PERMISSION_DENIED' })
      await client.close()
    }
    const distrusting = new RpcClient({ dial: dialSocket(listening.address), clock, hash, random })
    await assert.rejects(distrusting.call({ service: 'echo', method: 'echo', parameters: [] }), {
      code: 'PERMISSION_DENIED',
      message: /^tls:\/\/localhost:\d+: .*certificate.*: give `authorities`/,
    })
    await distrusting.close()
  } finally {
    await listening.close()
    await server.close()
  }
})

// A connection that was made before was served for ever.
test('a certificate ends when it says, also for a connection that is open', async () => {
  let aheadMs = 0
  const ahead: Clock = {
    now: () => clock.now() + aheadMs,
    monotonic: () => clock.monotonic(),
    after: (...given) => clock.after(...given),
    turn: () => clock.turn(),
  }
  const access = new Access([{ name: 'by certificate', certificate: 'client' }])
  const server = new RpcServer({ services: [new EchoService()], clock: ahead, hash, access })
  const listening = await listenSocket('tls://localhost:0', server, { identity: SERVER, authorities: AUTHORITY })
  const dial = dialSocket(listening.address, { authorities: AUTHORITY, identity: CLIENT })
  const [client, late] = [0, 1].map(() => new RpcClient({ dial, clock, hash, random })) as [RpcClient, RpcClient]
  const call = { service: 'echo', method: 'echo', parameters: [] }
  try {
    await client.call(call)
    const endsMs = Date.parse(new X509Certificate(CLIENT.certificate).validTo)
    aheadMs = endsMs - clock.now() - 60_000
    await client.call(call)
    aheadMs = endsMs - clock.now()
    const expired = { code: 'PERMISSION_DENIED', message: /the certificate of by certificate has expired/ }
    await assert.rejects(client.call(call), expired)
    await assert.rejects(late.call(call), expired)
  } finally {
    await client.close()
    await late.close()
    await listening.close()
    await server.close()
  }
})

// It was told to give authorities, whatever the reason.
test('a certificate that is not trusted is told with what to do about it', async () => {
  for (const [code, wayOut] of [
    ['CERT_HAS_EXPIRED', /renew it and have the server read it \(SIGHUP, for `varve serve`\), or set the clock here$/],
    ['CERT_NOT_YET_VALID', /set the clock, here or where it was made$/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /dial the server by a name that its certificate has$/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /give `authorities` that have signed the server's certificate$/],
  ] as const) {
    const details = { operation: 'connect', address: 'tls://db:1', certificate: true }
    const cause = Object.assign(new Error('refused'), { code })
    const dial = (): Promise<never> =>
      Promise.reject(new VarveError('IO_FAILED', 'tls://db:1: refused', { details, cause }))
    const client = new RpcClient({ dial, clock, hash, random })
    await assert.rejects(client.connection(), { code: 'PERMISSION_DENIED', message: wayOut })
    await client.close()
  }
})

test('what nobody knows of a dial is refused, where it would go without a certificate', () => {
  for (const [options, expected] of [
    [{ certificate: 'pem', key: 'pem' }, /unknown option certificate; there are authorities and identity/],
    [{ ca: 'pem' }, /unknown option ca/],
    [{ identity: { cert: 'pem', key: 'pem' } }, /identity must have certificate and key/],
  ] as const)
    assert.throws(
      () => dialSocket('tls://localhost:1', options as object),
      (error: unknown) => error instanceof TypeError && expected.test(error.message),
    )
})

test('a text without a certificate, and the key of another, are refused, where they were taken for none', async () => {
  const nobody = { open: false, accept: () => undefined }
  for (const [options, expected] of [
    [{ identity: { certificate: '', key: SERVER.key } }, /^identity.certificate has no certificate in PEM/],
    [{ identity: { certificate: SERVER.certificate, key: '' } }, /^identity.key has no private key in PEM/],
    [{ identity: { certificate: SERVER.certificate, key: CLIENT.key } }, /^identity.key is not the private key/],
    [{ identity: SERVER, authorities: SERVER.key }, /^authorities has no certificate in PEM/],
    [{ identity: SERVER, authorities: AUTHORITY.replace('MII', 'AAA') }, /that cannot be read/],
  ] as const) {
    const wrong = { name: 'TypeError', message: expected }
    assert.throws(() => dialSocket('tls://localhost:1', options), wrong)
    await assert.rejects(listenSocket('tls://127.0.0.1:0', nobody, options), wrong)
  }
})

test('a certificate is known by its DNS names and its URIs before its common name', async () => {
  const options = { identity: SERVER, authorities: `${AUTHORITY}${NAMED.certificate}` }
  for (const certificate of ['worker.example.org', 'spiffe://example.org/worker', 'nobody']) {
    const service = new EchoService()
    const access = new Access([
      { name: 'last', certificate: 'nobody' },
      { name: 'found', certificate },
    ])
    const server = new RpcServer({ services: [service], clock, hash, access })
    const listening = await listenSocket('tls://localhost:0', server, options)
    const dial = dialSocket(listening.address, { authorities: AUTHORITY, identity: NAMED })
    const client = new RpcClient({ dial, clock, hash, random })
    try {
      await client.call({ service: 'echo', method: 'echo', parameters: [] })
      assert.equal(service.peers[0]?.grant.name, 'found')
    } finally {
      await client.close()
      await listening.close()
      await server.close()
    }
  }
})

test('without tokens or certificates only addresses of this machine are listened on', async () => {
  const server = new RpcServer({ services: [], clock, hash })
  await assert.rejects(listenSocket('tcp://0.0.0.0:0', server), { code: 'PERMISSION_DENIED' })
  await assert.rejects(listenSocket('tcp://[::]:0', server), { code: 'PERMISSION_DENIED' })
  await (await listenSocket('tcp://127.0.0.1:0', server)).close()
  const guarded = new RpcServer({
    services: [],
    clock,
    hash,
    access: new Access([{ name: 'x', token: 'sixteen letters!' }]),
  })
  await (await listenSocket('tcp://0.0.0.0:0', guarded)).close()
  await assert.rejects(listenSocket('tls://127.0.0.1:0', guarded), RangeError)
})

test('a client whose server goes and comes back calls on, without effect at once, with effect never twice', async () => {
  const service = new EchoService()
  let server = new RpcServer({ services: [service], clock, hash })
  let listening = await listenSocket('tcp://127.0.0.1:0', server)
  const { address } = listening
  const client = new RpcClient({ dial: dialSocket(address), clock, hash, random })
  await client.call({ service: 'echo', method: 'note', parameters: ['before'] })
  await listening.close()
  await server.close()
  // The client hears of it in a turn of the event loop, and not in one that was due when this process was stopped for a while.
  await sleep(20)
  for (let turn = 0; turn < 10; turn++) await clock.turn()
  const unsent = client.call({ service: 'echo', method: 'note', parameters: ['effect'], effect: true, timeoutMs: 50 })
  await assert.rejects(unsent, { code: 'IO_FAILED' })
  const waiting = client.call({ service: 'echo', method: 'note', parameters: ['after'] })
  server = new RpcServer({ services: [service], clock, hash })
  listening = await listenSocket(address, server)
  await waiting
  assert.deepEqual(service.seen, ['before', 'after'])
  await client.close()
  await listening.close()
  await server.close()
})
