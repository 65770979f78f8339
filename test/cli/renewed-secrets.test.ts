/** Tokens and certificates of `varve serve` and `varve work` that are renewed while they run. */

import assert from 'node:assert/strict'
import { copyFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import tls from 'node:tls'
import { RemoteHeadStore } from '../../src/fs/remote/remote-head-store.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import { VERIFY } from '../../src/jobs/standard-handlers.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { plainJobSpec } from '../../src/testing/plain-job-spec.ts'
import { MadeAuthority, noCertificates } from '../rpc/made-certificates.ts'
import { Workplace, start } from './varve-process.ts'

const clock = new SystemClock()
const random = new SystemRandom()
const hash = await loadHash()

const RENEWED = 'varve: tokens and certificates were read again'
const KEPT = 'varve: tokens and certificates stay as they were: '
const TOKEN = 'a secret of somebody'

/** The common name that a server shows. */
function shownAt(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(address)
    const socket = tls.connect({ host: 'localhost', port: Number(port), rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test(
  'a server that is told to shows a renewed certificate, and keeps the former where the file is none',
  { skip: noCertificates },
  async (context) => {
    const work = new Workplace(context)
    const [ours, theirs] = [new MadeAuthority(work.path, 'ours'), new MadeAuthority(work.path, 'theirs')]
    ours.sign('expired', -1)
    ours.sign('renewed')
    theirs.sign('other')
    const show = (name: string): void => {
      for (const kind of ['pem', 'key']) copyFileSync(work.in(`${name}.${kind}`), work.in(`shown.${kind}`))
    }
    show('expired')
    writeFileSync(work.in('tokens.json'), JSON.stringify([{ name: 'somebody', token: TOKEN }]))
    const secrets = ['--tokens', 'tokens.json', '--certificate', 'shown.pem', '--key', 'shown.key']
    const server = start(['serve', '--files', 'f', '--listen', 'tls://localhost:0', ...secrets], { cwd: work.path })
    context.after(() => server.signal('SIGKILL'))
    const address = /listening on (\S+):/.exec(await server.prints('listening on '))?.[1] ?? ''
    const clients: RpcClient[] = []
    context.after(() => Promise.all(clients.map((client) => client.close())))
    const headsBy = (authority: MadeAuthority): RemoteHeadStore => {
      const dial = dialSocket(address, { authorities: authority.certificate })
      const client = new RpcClient({ dial, token: TOKEN, clock, hash, random })
      clients.push(client)
      return new RemoteHeadStore({ client })
    }
    const main = shardId('main')
    const told = async (said: string, times: number): Promise<void> => {
      server.signal('SIGHUP')
      await server.says(said, times)
    }
    await assert.rejects(headsBy(ours).read(main), {
      code: 'PERMISSION_DENIED',
      message: /expired.*have the server read/,
    })
    show('renewed')
    await told(RENEWED, 1)
    assert.equal(await shownAt(address), 'renewed')
    const before = headsBy(ours)
    await before.read(main)
    writeFileSync(work.in('shown.pem'), 'half of it')
    await told(`${KEPT}shown.pem has no certificate in PEM`, 1)
    copyFileSync(work.in('other.pem'), work.in('shown.pem'))
    await told(`${KEPT}shown.key is not the private key`, 1)
    copyFileSync(work.in('renewed.pem'), work.in('shown.pem'))
    writeFileSync(work.in('tokens.json'), '[{')
    await told(`${KEPT}tokens.json is no JSON`, 1)
    assert.equal(await shownAt(address), 'renewed')
    writeFileSync(work.in('tokens.json'), JSON.stringify([{ name: 'somebody', token: TOKEN, roles: ['heads'] }]))
    show('other')
    await told(`${RENEWED}: 1 connection has ended`, 1)
    assert.equal(await shownAt(address), 'other')
    await assert.rejects(headsBy(ours).read(main), { code: 'PERMISSION_DENIED', message: /give `authorities`/ })
    await headsBy(theirs).read(main)
    writeFileSync(work.in('tokens.json'), JSON.stringify([{ name: 'others', token: 'that of somebody else' }]))
    await told(`${RENEWED}: 1 connection has ended`, 2)
    await assert.rejects(headsBy(theirs).read(main), { code: 'PERMISSION_DENIED', message: /token is not known/ })
    server.signal('SIGTERM')
    const { code, errors } = await server.ended
    assert.equal(code, 0)
    assert.ok(!errors.includes('secret'))
  },
)

test('a worker shows the token that its file has when it dials, and one that is told nothing ends', async (context) => {
  const work = new Workplace(context)
  const rules = ['first', 'second'].map((name) => ({ name, token: `the ${name} secret of all` }))
  const allow = (...allowed: readonly object[]): void =>
    writeFileSync(
      work.in('tokens.json'),
      JSON.stringify([{ name: 'submits', token: TOKEN, roles: ['jobs'] }, ...allowed]),
    )
  const [first, second] = rules as [(typeof rules)[0], (typeof rules)[0]]
  allow(first)
  const words = ['--files', 'f', '--jobs', '0', '--listen', 'tcp://127.0.0.1:0', '--tokens', 'tokens.json']
  const server = start(['serve', ...words], { cwd: work.path })
  context.after(() => server.signal('SIGKILL'))
  const address = /listening on (\S+):/.exec(await server.prints('listening on '))?.[1] ?? ''
  const client = new RpcClient({ dial: dialSocket(address), token: TOKEN, clock, hash, random })
  const scheduler = new RemoteScheduler({ client, shard: 'main', clock, random })
  context.after(async () => {
    await scheduler.close()
    await client.close()
  })
  const workers = ['one', 'two'].map((name) => {
    writeFileSync(work.in(name), `${first.token}\n`)
    const worker = start(['work', '--jobs-at', address, '--token', name, '--nice', '0'], { cwd: work.path })
    context.after(() => worker.signal('SIGKILL'))
    return worker
  })
  let jobs = 0
  const verified = (): Promise<unknown> =>
    scheduler.submit({ ...plainJobSpec(`main.e1-j${++jobs}`), handler: VERIFY, parameters: null }).result
  for (const worker of workers) await worker.prints('working for ')
  await verified()
  writeFileSync(work.in('one'), second.token)
  allow(second)
  server.signal('SIGHUP')
  await server.says(`${RENEWED}: `)
  const { code, errors } = await (workers[1] as (typeof workers)[0]).ended
  assert.equal(code, 1)
  assert.match(errors, /PERMISSION_DENIED: the token is not known here/)
  await verified()
})
