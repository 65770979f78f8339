/**
 * What the manuals print about parts elsewhere runs as it is printed, for somebody who has installed the package: against
 * real servers, with addresses and folders of this machine in the place of the printed ones.
 *
 * Extra, because it installs packages and starts servers.
 */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { freePorts } from '../../tools/servers/free-ports.ts'
import { readJson } from '../../tools/repository.ts'
import { PostgresServer } from '../../tools/servers/postgres.ts'
import { RADOSGW_CREDENTIALS } from '../../tools/servers/radosgw.ts'
import { NatsPlace, skipWithoutNats } from '../nats/nats-place.ts'
import { makeBucket, radosgwOrSkip } from '../s3/radosgw-place.ts'
import { StrangersProject } from '../strangers-project.ts'
import { PrintedPage, programOf } from './printed-page.ts'
import { AFTER_MERGE, AFTER_SPLIT, BEFORE_SPLIT } from './split-and-merge.ts'

const OPTIONAL_PACKAGES = ['@nats-io/transport-node', 'pg', '@types/pg']
const [remote, s3, cluster] = ['remote', 's3', 'cluster'].map((name) => new PrintedPage(`docs/${name}.md`)) as [
  PrintedPage,
  PrintedPage,
  PrintedPage,
]

let stranger: StrangersProject
/** What runs, ended with the tests. */
const running: ChildProcess[] = []
const gateway = await radosgwOrSkip('the printed examples of S3 run')

before(() => {
  const { devDependencies } = readJson('package.json') as { readonly devDependencies: Readonly<Record<string, string>> }
  stranger = new StrangersProject(...OPTIONAL_PACKAGES.map((name) => `${name}@${devDependencies[name] ?? ''}`))
})

after(() => {
  for (const child of running) child.kill('SIGKILL')
  stranger.remove()
})

/** Writes, flushes, compacts and reads with `shard`, and closes it. */
const USE_SHARD = `
const [key, value] = [Buffer.from('key'), Buffer.from('value')]
for (let round = 0; round < 3; round++) {
  await shard.put(key, value)
  await shard.flush()
}
await shard.compactRange({})
if (shard.statistics().compactedBytes === 0) throw new Error('nothing was compacted')
if (String(await shard.get(key)) !== 'value') throw new Error('what was written is not there')
`

/** The first example of remote.md, with what closes it, which its text says. */
const CLOSE_PARTS = `
await parts.jobs.close()
await files.close()
await journalClient.close()
await fileClient.close()
`

test('a shard is opened over one server', async (context) => {
  const { socket } = await serveOneServer(context)
  run(context, programOf(remoteParts(socket), `${USE_SHARD} await shard.close() ${CLOSE_PARTS}`))
})

test('a map and a follower work over one server', async (context) => {
  const { socket } = await serveOneServer(context)
  const given = `
    const heads = parts.heads
    const components = parts
    const key = Buffer.from('key')
    await shard.put(key, Buffer.from('value'), { durability: 'synced' })
    const asked: string[] = []
    const askHost = (owner: string | undefined, name: string, at: Uint8Array) =>
      Promise.resolve(asked.push(\`\${owner} \${name} \${at}\`))
  `
  const map = cluster.fence('ts', 'new MapStore(')
  const follow = cluster.fence('ts', 'followKv(')
  const use = `
    if (!/^host-[12] [abcd] key$/.test(asked[0] ?? '')) throw new Error(\`asked \${asked}\`)
    if (String(await follower.db.get(key)) !== 'value') throw new Error('the follower does not see it')
    await follower.close()
    await shard.close()
    ${CLOSE_PARTS}
  `
  run(context, programOf(remoteParts(socket), given, map, follow, use))
})

test('a shard is split, and its halves are merged, over one server', async (context) => {
  const { socket } = await serveOneServer(context)
  const split = cluster.fence('ts', 'orders.split(')
  const merge = cluster.fence('ts', 'left.merge(')
  run(context, programOf(remoteParts(socket), BEFORE_SPLIT, split, AFTER_SPLIT, merge, AFTER_MERGE + CLOSE_PARTS))
})

test('workers elsewhere compact over TLS, and the tokens and certificates that were made let in', async (context) => {
  if (!/^OpenSSL [3-9]/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout)) {
    context.skip('there is no OpenSSL 3')
    return
  }
  const folder = mkdtempSync(join(stranger.scratch, 'tls-'))
  const [port] = await freePorts(1)
  const address = `tls://localhost:${port ?? 0}`
  const host = { 'tls://files.example.org:4100': address }
  // The name that the certificate is for, and this machine's.
  const make = remote.fence('sh', 'openssl req -x509', {
    'DNS:$name.example.org': 'DNS:$name.example.org,DNS:localhost',
  })
  const made = spawnSync('sh', ['-ec', make], { cwd: folder, encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  const rules = remote.fence('json', '"token"', { '2027-01-31T12:00:00Z': '2100-01-31T12:00:00Z' })
  writeFileSync(join(folder, 'tokens.json'), rules)
  const tokens = (JSON.parse(rules) as { readonly name: string; readonly token?: string }[]).map(({ token }) => token)

  const served = remote.command('npx varve serve --files /srv/files --journal /srv/journal --jobs 0', {
    ...host,
    '/srv/': './',
  })
  const server = start(context, folder, served)
  await server.prints('listening on ')
  // On a machine of its own it would be its `token`: it is read again for each connection.
  writeFileSync(join(folder, 'worker-token'), `${tokens[1] ?? ''}\n`)
  const worker = start(
    context,
    folder,
    remote.command('npx varve work', { ...host, '--token token': '--token worker-token' }),
  )
  await worker.prints('working for ')

  writeFileSync(join(folder, 'token'), `${tokens[0] ?? ''}\n`)
  const clients = remote.fence('ts', 'const byToken =', host)
  // As the text says: `dial` and the token of the examples above are then these.
  const shown = { 'dial, clock': 'dial, token, clock' }
  const dial = 'const dial = dialSocket(address, { authorities })\nconst token = textOf("token")'
  const parts = remote.fence('ts', 'journalClient', {
    ...shown,
    "const address = 'unix:/run/varve.sock'": '',
    'const dial = dialSocket(address)': dial,
    'remoteWorkers({ address })': 'remoteWorkers({ address, token, dial: { authorities } })',
  })
  const jobs = remote.fence('ts', 'new RemoteScheduler(', shown)
  const flushesHereOnly = `
    const ranHere: string[] = []
    const submit = localJobs.submit.bind(localJobs)
    localJobs.submit = (spec) => {
      ranHere.push(spec.handler.export)
      return submit(spec)
    }
    ${USE_SHARD}
    if (ranHere.some((name) => name !== 'flush')) throw new Error(\`ran here: \${ranHere}\`)
    await shard.close()
    await jobs.close()
    ${CLOSE_PARTS}
    await jobClient.close()
    const heads = new RemoteHeadStore({ client: byCertificate })
    if ((await heads.read(shardId('orders'))) === undefined) throw new Error('the operator sees no head')
    await byCertificate.close()
    await byToken.close()
  `
  run(context, programOf(clients, parts, jobs, flushesHereOnly), folder)
})

test('journals, heads and jobs are on NATS', skipWithoutNats, async (context) => {
  const place = await NatsPlace.start(3)
  context.after(() => place.stop())
  const { socket } = await serveOneServer(context)
  const servers = place.servers.addresses.map((address) => `'${address}'`).join(', ')
  const streams = remote.fence('ts', 'new NatsJournalSystem(', { "'10.0.0.1', '10.0.0.2', '10.0.0.3'": servers })
  const given = 'await shard.close()\nconst localJobs = parts.jobs\nconst inner = parts.jobs'
  const jobs = remote.fence('ts', 'new NatsJobWorker(')
  const use = `
    const shard = await openKv({ ...parts, journal, heads, jobs, localJobs })
    ${USE_SHARD}
    await shard.close()
    await worker.close()
    await jobs.close()
    await connection.close()
    ${CLOSE_PARTS}
  `
  run(context, programOf(remoteParts(socket), given, streams, jobs, use))
})

test('files and heads are on S3, a disk cache in front of them', { skip: gateway === undefined }, async (context) => {
  const server = gateway ?? assert.fail('skipped')
  await makeBucket(server)
  const { socket } = await serveOneServer(context)
  const bucket = s3.fence('ts', 'new S3Client(', {
    'https://s3.eu-central-1.amazonaws.com': server.endpoint,
    "bucket: 'orders'": "bucket: 'varve'",
    "accessKeyId: '…', secretAccessKey: '…'": `accessKeyId: '${RADOSGW_CREDENTIALS.accessKeyId}', secretAccessKey: '${RADOSGW_CREDENTIALS.secretAccessKey}'`,
  })
  mkdirSync(join(stranger.scratch, 'cache'))
  const cache = s3.fence('ts', 'new CachedFileStore(', { '/var/cache/orders': join(stranger.scratch, 'cache') })
  const use = `
    const { HandlerTable, InlineScheduler } = await import('varve/jobs')
    const handlers = new HandlerTable({ 'varve/kv/jobs': await import('varve/kv/jobs') })
    const jobs = new InlineScheduler({ files, hash, clock, handlers })
    const shard = await openKv({ ...parts, files, heads, jobs })
    ${USE_SHARD}
    if (cache.usage.hits === 0) throw new Error('nothing was read from the cache')
    await shard.close()
    await files.close()
    await cache.close()
    await client.close()
  `
  run(context, programOf(remoteParts(socket), 'await shard.close()', bucket, cache, use + CLOSED_BEHIND))
})

const CLOSED_BEHIND = `
await parts.jobs.close()
await journalClient.close()
await fileClient.close()
`

test('journals, heads and jobs are in PostgreSQL', async (context) => {
  const database = await PostgresServer.start()
  if (typeof database === 'string') {
    context.skip(database)
    return
  }
  context.after(() => database.stop())
  const { socket } = await serveOneServer(context)
  const given = 'await shard.close()\nconst localJobs = parts.jobs'
  const rows = remote.fence('ts', 'new PostgresDatabase(', {
    'postgres://varve@db.example.org/varve': database.url,
  })
  const use = `${USE_SHARD} await shard.close()\nawait jobs.close()\nawait database.close()\n${CLOSE_PARTS}`
  run(context, programOf(remoteParts(socket), given, rows, use))
})

/** The first example of remote.md: its parts, and a shard over them. */
function remoteParts(socket: string): string {
  return remote.fence('ts', 'journalClient', { 'unix:/run/varve.sock': socket })
}

async function serveOneServer(context: TestContext): Promise<{ readonly socket: string }> {
  const folder = mkdtempSync(join(stranger.scratch, 'one-'))
  const socket = `unix:${join(folder, 'varve.sock')}`
  const exchange = { 'unix:/run/varve.sock': socket, '/srv/': `${folder}/` }
  const server = start(
    context,
    folder,
    remote.command('npx varve serve --files /srv/files --journal /srv/journal --listen', exchange),
  )
  await server.prints('listening on ')
  return { socket }
}

interface Started {
  /** Resolves when it has said this. */
  prints(text: string): Promise<void>
}

/** `npx varve` as the installed command itself, which a signal reaches. */
function start(context: TestContext, cwd: string, command: string): Started {
  const installed = command.replace(/^npx varve/, join(stranger.path, 'node_modules/.bin/varve'))
  const child = spawn('sh', ['-c', `exec ${installed}`], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  let said = ''
  child.stdout.on('data', (piece: Buffer) => (said += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
  context.after(() => void child.kill('SIGTERM'))
  return {
    prints: async (text) => {
      while (!said.includes(text)) {
        if (child.exitCode !== null) throw new Error(`${command} ended: ${said}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  }
}

/** Compiles a program as a strict project does, and runs it to its end. */
function run({ name }: TestContext, program: string, cwd?: string): void {
  const folder = join(stranger.path, name.replaceAll(/[^a-zA-Z]+/g, '-'))
  mkdirSync(folder)
  writeFileSync(join(folder, 'main.ts'), program)
  const options = { noUncheckedIndexedAccess: true, skipLibCheck: true }
  assert.equal(stranger.compile(folder, ['main.ts'], options), '', program)
  const child = spawnSync(execPath, [join(folder, 'main.js')], {
    cwd: cwd ?? folder,
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(child.status, 0, `${child.stdout}\n${child.stderr}\n${child.signal ?? ''}`)
}
