/** Rules, tokens and certificates that are replaced while a server runs, by real sockets. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import tls from 'node:tls'
import { loadHash } from '../../src/kernel/hash.ts'
import { Access } from '../../src/rpc/access.ts'
import type { AccessRule } from '../../src/rpc/access.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import type { RpcClientOptions } from '../../src/rpc/client.ts'
import { CredentialFiles } from '../../src/rpc/credential-files.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { dialSocket, listenSocket } from '../../src/rpc/socket-transport.ts'
import type { DialOptions, ListenOptions } from '../../src/rpc/socket-transport.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { AUTHORITY, CLIENT, NAMED, SERVER } from './certificates.ts'
import { EchoService } from './echo-service.ts'
import { AUTHORITY_OF_ENDS, EXPIRED, KEY_OF_ENDS } from './ended-certificates.ts'

const hash = await loadHash()
const clock = new SystemClock()
const random = new SystemRandom()
const ECHO = { service: 'echo', method: 'echo', parameters: [] }
const HOLD = { service: 'echo', method: 'hold', parameters: [] }
const TOKENS = { first: 'the first token of all', second: 'the second token of all' } as const
const DENIED = { code: 'PERMISSION_DENIED' }

async function serve(context: TestContext, rules: readonly AccessRule[], options?: ListenOptions) {
  const service = new EchoService()
  const server = new RpcServer({ services: [service], clock, hash, access: new Access(rules) })
  const listening = await listenSocket(
    options === undefined ? 'tcp://127.0.0.1:0' : 'tls://localhost:0',
    server,
    options,
  )
  const clients: RpcClient[] = []
  context.after(async () => {
    for (const client of clients) await client.close()
    await listening.close()
    await server.close()
  })
  const client = (token: RpcClientOptions['token'] = '', given: DialOptions | (() => DialOptions) = {}): RpcClient => {
    const made = new RpcClient({ dial: dialSocket(listening.address, given), clock, hash, random, token })
    clients.push(made)
    return made
  }
  const held = async (count: number): Promise<void> => {
    while (service.holding < count) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return { service, server, listening, client, held }
}

test('other rules end connections whose token has gone or may do other things, and leave those alone that may do the same', async (context) => {
  const kept = { name: 'kept', token: 'the token that is kept' }
  const { service, server, client, held } = await serve(context, [
    kept,
    { name: 'gone', token: TOKENS.first },
    { name: 'changed', token: TOKENS.second, shards: ['a'] },
  ])
  const [stays, goes, changes] = [client(kept.token), client(TOKENS.first), client(TOKENS.second)]
  const waiting = stays.call({ ...HOLD, timeoutMs: 0 })
  const onGone = await goes.connection()
  const lost = assert.rejects(onGone.call({ ...HOLD, timeoutMs: 0, effect: true }), { code: 'OUTCOME_UNKNOWN' })
  await changes.call(ECHO)
  await held(2)
  const rules = [
    { ...kept, expires: '2999-01-01T00:00:00Z', roles: ['worker', 'jobs', 'files', 'heads', 'journal'] as const },
    { name: 'changed', token: TOKENS.second, shards: ['b'] },
  ]
  assert.equal(server.replaceAccess(new Access(rules)), 2)
  await lost
  await assert.rejects(goes.call(ECHO), { ...DENIED, message: /the token is not known here/ })
  await changes.call(ECHO)
  assert.deepEqual(
    service.peers.filter(({ grant }) => grant.name === 'changed').map(({ grant }) => grant.shards),
    [['a'], ['b']],
  )
  service.release()
  assert.equal((await waiting).value, 'released', 'it was not disturbed')
  assert.equal(service.peers.filter(({ grant }) => grant.name === 'kept').length, 1)
  // When it ends now is when the new rules say.
  server.replaceAccess(new Access([{ ...kept, expires: '2001-01-01T00:00:00Z' }]))
  await assert.rejects(stays.call(ECHO), { ...DENIED, message: /the token of kept has expired/ })
  await assert.rejects(changes.call(ECHO), DENIED)
})

/** The common name of what a server shows. */
function shownAt(address: string): Promise<string> {
  const { port } = new URL(address)
  return new Promise((resolve, reject) => {
    const socket = tls.connect(
      { host: 'localhost', port: Number(port), ca: AUTHORITY, servername: 'localhost' },
      () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.destroy()
      },
    )
    socket.on('error', reject)
  })
}

test('another certificate is shown to who connects from then on, and what is none changes nothing', async (context) => {
  const { listening, client, service, held } = await serve(context, [{ name: 'all', token: TOKENS.first }], {
    identity: SERVER,
  })
  const before = client(TOKENS.first, { authorities: AUTHORITY })
  const waiting = before.call({ ...HOLD, timeoutMs: 0 })
  await held(1)
  assert.equal(await shownAt(listening.address), 'localhost')
  // That of a client has the server's name, too.
  listening.replaceTls({ identity: CLIENT })
  assert.equal(await shownAt(listening.address), 'client')
  for (const wrong of [
    { identity: { certificate: '', key: SERVER.key } },
    { identity: { certificate: SERVER.certificate, key: CLIENT.key } },
    { identity: SERVER, authorities: AUTHORITY },
  ])
    assert.throws(() => listening.replaceTls(wrong), TypeError)
  assert.throws(() => listening.replaceTls({}), RangeError)
  assert.equal(await shownAt(listening.address), 'client')
  await client(TOKENS.first, { authorities: AUTHORITY }).call(ECHO)
  await assert.rejects(client(TOKENS.first, { authorities: AUTHORITY_OF_ENDS }).call(ECHO), {
    ...DENIED,
    message: /give `authorities` that have signed/,
  })
  service.release()
  assert.equal((await waiting).value, 'released', 'a connection that was there goes on')
})

test('other authorities end connections that an authority let in, and no others', async (context) => {
  const rules = [
    { name: 'certified', certificate: 'client' },
    { name: 'token', token: TOKENS.first },
  ]
  const { listening, client, service, held } = await serve(context, rules, { identity: SERVER, authorities: AUTHORITY })
  const certified = client('', { authorities: AUTHORITY, identity: CLIENT })
  const byToken = client(TOKENS.first, { authorities: AUTHORITY })
  const waiting = byToken.call({ ...HOLD, timeoutMs: 0 })
  const connection = await certified.connection()
  const lost = assert.rejects(connection.call({ ...HOLD, timeoutMs: 0, effect: true }), { code: 'OUTCOME_UNKNOWN' })
  await held(2)
  listening.replaceTls({ identity: SERVER, authorities: `${AUTHORITY}${NAMED.certificate}` })
  await lost
  await certified.call(ECHO)
  listening.replaceTls({ identity: SERVER, authorities: NAMED.certificate })
  await assert.rejects(
    async () => {
      // Until it has heard that the connection has ended.
      for (;;) await certified.call(ECHO)
    },
    { ...DENIED, message: /the certificate that was shown is not taken here/ },
  )
  service.release()
  assert.equal((await waiting).value, 'released')
})

test('credentials in files are read for each connection, and again what was read last where they are not whole', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'varve-credentials-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const path = (name: string): string => join(folder, name)
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text)
  }
  const paths = { token: path('token'), certificate: path('pem'), key: path('key'), authorities: path('ca') }
  assert.throws(() => new CredentialFiles(paths), /token cannot be read|pem cannot be read/)
  assert.throws(() => new CredentialFiles({ token: paths.token, certificate: paths.certificate }), /go together/)
  assert.throws(() => new CredentialFiles({ cert: paths.certificate } as object), /unknown path cert/)
  write({ token: `${TOKENS.first}\n`, pem: EXPIRED, key: KEY_OF_ENDS, ca: AUTHORITY })
  const problems: string[] = []
  const files = new CredentialFiles(paths, (problem) => problems.push(problem))
  const rules = [{ name: 'client', certificate: 'client' }]
  const authorities = `${AUTHORITY}${AUTHORITY_OF_ENDS}`
  const { client, server } = await serve(context, rules, { identity: SERVER, authorities })
  const one = client(files.token, files.dial)
  await assert.rejects(one.call(ECHO), { ...DENIED, message: /it has expired; renew it/ })
  // Half of what is being renewed.
  write({ pem: CLIENT.certificate })
  for (let attempt = 0; attempt < 2; attempt++) await assert.rejects(one.call(ECHO), { message: /it has expired/ })
  assert.equal(problems.length, 1)
  assert.match(problems[0] ?? '', /key is not the private key of the first certificate in .*pem$/)
  write({ key: CLIENT.key })
  await one.call(ECHO)
  server.replaceAccess(new Access([{ name: 'by token', token: TOKENS.second }]))
  await assert.rejects(one.call(ECHO), { ...DENIED, message: /the token is not known here/ })
  write({ token: ' \n' })
  await assert.rejects(one.call(ECHO), { ...DENIED, message: /the token is not known here/ })
  assert.match(problems.at(-1) ?? '', /token has no token$/)
  write({ token: TOKENS.second })
  await one.call(ECHO)
})

test('a token that cannot be had is a server that does not answer, for as long as that', async (context) => {
  const { client } = await serve(context, [{ name: 'all', token: TOKENS.first }])
  let asked = 0
  const one = client(() => {
    if (++asked < 3) throw new Error('the safe is closed')
    return TOKENS.first
  })
  await one.call(ECHO)
  assert.equal(asked, 3)
  const never = client(() => Promise.reject(new Error('the safe is closed')))
  const call = never.call({ ...ECHO, timeoutMs: 50 })
  await assert.rejects(call, { code: 'IO_FAILED', message: /no token: the safe is closed/ })
})
