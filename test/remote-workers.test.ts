/** Threads of a process whose files are behind a server, as somebody would use them for flushes and compactions. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { RemoteFileStore } from '../src/fs/remote/remote-file-store.ts'
import { RemoteHeadStore } from '../src/fs/remote/remote-head-store.ts'
import { WorkerScheduler } from '../src/jobs/worker-scheduler.ts'
import { RemoteJournalSystem } from '../src/journal/remote/remote-journal-system.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { remoteWorkers } from '../src/remote-workers.ts'
import { RpcClient } from '../src/rpc/client.ts'
import { dialSocket } from '../src/rpc/socket-transport.ts'
import { SystemClock } from '../src/system-clock.ts'
import { SystemRandom } from '../src/system-random.ts'
import { CredentialFiles } from '../src/rpc/credential-files.ts'
import { Workplace, start } from './cli/varve-process.ts'

const clock = new SystemClock()
const random = new SystemRandom()
const hash = await loadHash()
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('a shard is flushed and compacted by threads that reach its files with its token', async (context) => {
  const work = new Workplace(context)
  const token = 'a secret for the shard main'
  writeFileSync(work.in('tokens.json'), JSON.stringify([{ name: 'main', token, shards: ['main'] }]))
  const words = ['serve', '--journal', 'j', '--files', 'f', '--listen', 'tcp://127.0.0.1:0', '--tokens', 'tokens.json']
  const server = start(words, { cwd: work.path })
  context.after(() => server.signal('SIGKILL'))
  const address = /listening on (\S+):/.exec(await server.prints('listening on '))?.[1] ?? ''
  const client = new RpcClient({ dial: dialSocket(address), token, clock, hash, random })
  const files = new RemoteFileStore({ client })
  const jobs = new WorkerScheduler({ clock, composition: remoteWorkers({ address, token }) })
  const close = async (): Promise<void> => {
    await jobs.close()
    await files.close()
    await client.close()
  }
  const journal = await RemoteJournalSystem.connect({ client, random })
  const heads = new RemoteHeadStore({ client })
  const shard = await openKv(
    { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash, close },
    { settings: { memtableBytes: 16_384, level0Files: 2, tableBytes: 8192 } },
  )
  for (let round = 0; round < 4; round++) {
    for (let key = 0; key < 40; key++) await shard.put(bytes(`key ${key}`), new Uint8Array(200).fill(round))
    await shard.flush()
  }
  await shard.compactRange({})
  assert.ok(shard.statistics().compactedBytes > 0)
  assert.equal((await shard.get(bytes('key 7')))?.[0], 3)
  await shard.close()
  // None of its threads, whose sockets would keep it, is left.
  server.signal('SIGTERM')
  assert.equal((await server.ended).code, 0)
})

// A server had to be started anew for another token, which ended what its shards were writing.
test('a shard whose token is replaced while it is open writes, flushes and compacts on with the next one', async (context) => {
  const work = new Workplace(context)
  const [former, next] = [
    { name: 'former', token: 'a secret for the shard main', shards: ['main'] },
    { name: 'next', token: 'the next secret for main', shards: ['main'] },
  ]
  const allow = (...rules: readonly object[]): void => writeFileSync(work.in('tokens.json'), JSON.stringify(rules))
  allow(former)
  const words = ['serve', '--journal', 'j', '--files', 'f', '--listen', 'tcp://127.0.0.1:0', '--tokens', 'tokens.json']
  const server = start(words, { cwd: work.path })
  context.after(() => server.signal('SIGKILL'))
  const address = /listening on (\S+):/.exec(await server.prints('listening on '))?.[1] ?? ''
  writeFileSync(work.in('token'), former.token)
  const credentials = new CredentialFiles({ token: work.in('token') })
  const client = new RpcClient({
    dial: dialSocket(address, credentials.dial),
    token: credentials.token,
    clock,
    hash,
    random,
  })
  const files = new RemoteFileStore({ client })
  const composition = remoteWorkers({ address, credentials: credentials.paths })
  assert.throws(() => remoteWorkers({ address, credentials: credentials.paths, token: next.token }), /give either/)
  const jobs = new WorkerScheduler({ clock, composition })
  const close = async (): Promise<void> => {
    await jobs.close()
    await files.close()
    await client.close()
  }
  const journal = await RemoteJournalSystem.connect({ client, random, resumeMs: 60_000 })
  const heads = new RemoteHeadStore({ client })
  const shard = await openKv(
    { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash, close },
    { settings: { memtableBytes: 16_384, level0Files: 2, tableBytes: 8192 } },
  )
  for (let round = 0; round < 4; round++) {
    for (let key = 0; key < 40; key++)
      await shard.put(bytes(`key ${key}`), new Uint8Array(200).fill(round), { durability: 'synced' })
    await shard.flush()
    if (round !== 1) continue
    await shard.settle()
    // Both, until everybody has the next one.
    allow(former, next)
    server.signal('SIGHUP')
    await server.says('tokens and certificates were read again\n')
    writeFileSync(work.in('token'), next.token)
    allow(next)
    server.signal('SIGHUP')
    await server.says('tokens and certificates were read again: ')
  }
  await shard.compactRange({})
  assert.equal((await shard.get(bytes('key 7')))?.[0], 3)
  await shard.close()
  server.signal('SIGTERM')
  const { code, errors } = await server.ended
  assert.equal(code, 0)
  assert.ok(!errors.includes('secret'))
})

test('handlers of another engine take the place of those of the key-value engine', () => {
  const handlers = { 'counters/jobs': 'file:///counters/jobs.js' }
  assert.deepEqual(remoteWorkers({ address: 'unix:varve.sock', handlers }).handlers, handlers)
  assert.deepEqual(Object.keys(remoteWorkers({ address: 'unix:varve.sock' }).handlers), ['varve/kv/jobs'])
})

test('an address or a certificate that is none is refused where it is given', () => {
  assert.throws(() => remoteWorkers({ address: 'files.example.org' }), RangeError)
  assert.throws(
    () => remoteWorkers({ address: 'tls://files.example.org:4100', dial: { authorities: 'ca.pem' } }),
    /authorities/,
  )
})
