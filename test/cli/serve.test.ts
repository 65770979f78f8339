/** `varve serve`, as somebody would use it who moves the parts of a shard elsewhere. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { platform } from 'node:process'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvOpenOptions } from '../../src/engines/kv/kv.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { RemoteFileStore } from '../../src/fs/remote/remote-file-store.ts'
import { RemoteHeadStore } from '../../src/fs/remote/remote-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { VERIFY } from '../../src/jobs/standard-handlers.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import { RemoteJournalSystem } from '../../src/journal/remote/remote-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { open } from '../../src/local.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { CLIENT, SERVER } from '../rpc/certificates.ts'
import { Workplace, start } from './varve-process.ts'
import type { Running } from './varve-process.ts'

// Of a server that is there: machines that test are busy.
const PATIENCE_MS = 60_000
// Where the server is gone, closing waits for it.
const CLOSES_MS = 5_000
const clock = new SystemClock()
const random = new SystemRandom()
const hash = await loadHash()
const textOf = (found: Uint8Array | undefined): string | undefined =>
  found === undefined ? undefined : new TextDecoder().decode(found)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A server in a process of its own, and where it listens. */
async function serve(
  context: TestContext,
  cwd: string,
  words: readonly string[],
): Promise<{ readonly address: string; readonly process: Running }> {
  const process = start(['serve', ...words], { cwd })
  context.after(() => process.signal('SIGKILL'))
  const printed = await process.prints('listening on ')
  return { process, address: /listening on (\S+):/.exec(printed)?.[1] ?? '' }
}

/** A shard all of whose parts are behind `address`, but flushes. */
async function openThere(
  address: string,
  name: string,
  token = '',
  settings: NonNullable<KvOpenOptions['settings']> = {},
  patienceMs = PATIENCE_MS,
): Promise<KvShard> {
  const client = new RpcClient({
    dial: dialSocket(address),
    clock,
    hash,
    random,
    token,
    settings: { callMs: patienceMs },
  })
  try {
    const files = new RemoteFileStore({ client })
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const localJobs = new InlineScheduler({ files, hash, clock, handlers })
    const jobs = new RemoteScheduler({ client, shard: name, clock, random })
    const parts = {
      shard: shardId(name),
      files,
      heads: new RemoteHeadStore({ client }),
      journal: await RemoteJournalSystem.connect({ client, random, resumeMs: patienceMs }),
      jobs,
      localJobs,
      clock,
      random,
      hash,
      close: async (): Promise<void> => {
        await jobs.close()
        await localJobs.close()
        await files.close()
        await client.close()
      },
    }
    return await openKv(parts, { settings })
  } catch (error) {
    await client.close()
    throw error
  }
}

test('shards live behind one server, and outlive it: stopped, killed and started again', async (context) => {
  const work = new Workplace(context)
  const words = ['--journal', 'j', '--files', 'f', '--listen', `unix:${work.in('varve.sock')}`]
  const first = await serve(context, work.path, words)
  const shards = await Promise.all(['one', 'two'].map((name) => openThere(first.address, name)))
  await Promise.all(
    shards.map(async (shard, index) => {
      for (let key = 0; key < 20; key++)
        await shard.put(bytes(`key ${key}`), bytes(`${index}`), { durability: 'synced' })
      if (index === 0) await shard.flush()
    }),
  )
  for (const shard of shards) await shard.close()
  first.process.signal('SIGTERM')
  const ended = await first.process.ended
  assert.equal(ended.code, 0, ended.errors)

  const second = await serve(context, work.path, words)
  const again = await openThere(second.address, 'two', '', {}, CLOSES_MS)
  assert.equal(textOf(await again.get(bytes('key 19'))), '1')
  await again.put(bytes('more'), bytes('!'), { durability: 'synced' })
  second.process.signal('SIGKILL')
  await second.process.ended
  await again.close().catch(() => undefined)

  const third = await serve(context, work.path, words)
  for (const [index, name] of ['one', 'two'].entries()) {
    const shard = await openThere(third.address, name)
    assert.equal(textOf(await shard.get(bytes('key 0'))), `${index}`)
    assert.equal(textOf(await shard.get(bytes('more'))), index === 0 ? undefined : '!')
    await shard.close()
  }
})

test('a directory that was an embedded database is served as it is, and is one again afterwards', async (context) => {
  const work = new Workplace(context)
  const local = await open(work.in('data'))
  await local.put(bytes('a'), bytes('here'))
  await local.close()
  const words = ['--files', 'data', '--journal', 'data', '--per-shard', '--listen', 'tcp://127.0.0.1:0']
  const { address, process } = await serve(context, work.path, words)
  await assert.rejects(open(work.in('data')), { code: 'LOCKED' })
  const there = await openThere(address, 'main')
  assert.equal(textOf(await there.get(bytes('a'))), 'here')
  await there.put(bytes('b'), bytes('there'))
  await there.close()
  process.signal('SIGTERM')
  await process.ended
  const back = await open(work.in('data'))
  assert.equal(textOf(await back.get(bytes('b'))), 'there')
  await back.close()
})

for (const [name, jobs] of [
  ['by the server', '1'],
  ['by a worker elsewhere', '0'],
] as const) {
  test(`compactions of a shard are done ${name}, and nowhere else`, async (context) => {
    const work = new Workplace(context)
    const socket = `unix:${work.in('varve.sock')}`
    const worker = jobs === '0' ? start(['work', '--jobs-at', socket], { cwd: work.path }) : undefined
    if (worker !== undefined) context.after(() => worker.signal('SIGKILL'))
    // It may be started before the server, and says so where nobody is there.
    await worker?.says(`nobody answers yet, trying again until somebody does: IO_FAILED: connect failed: ${socket}`)
    const words = ['--journal', 'j', '--files', 'f', '--jobs', jobs, '--listen', socket]
    const { address, process } = await serve(context, work.path, words)
    if (worker !== undefined && platform === 'linux') assert.equal(getPriority(worker.pid), 10)
    const shard = await openThere(address, 'main', '', { memtableBytes: 16_384, level0Files: 2, tableBytes: 8192 })
    for (let round = 0; round < 6; round++) {
      for (let key = 0; key < 40; key++) await shard.put(bytes(`key ${key}`), new Uint8Array(200).fill(round))
      await shard.flush()
    }
    // There is nobody here who could: without a worker this would fail.
    await shard.compactRange({})
    assert.ok(shard.statistics().compactedBytes > 0)
    assert.equal((await shard.get(bytes('key 7')))?.[0], 5)
    await shard.close()
    for (const each of [worker, process]) {
      each?.signal('SIGTERM')
      const { code, errors } = (await each?.ended) ?? { code: 0, errors: '' }
      assert.equal(code, 0, errors)
    }
  })
}

// It was offered the jobs that it had labels for, and refused them.
test('a worker with labels does the jobs that need them', async (context) => {
  const work = new Workplace(context)
  const { address } = await serve(context, work.path, ['--files', 'f', '--jobs', '1', '--listen', 'tcp://127.0.0.1:0'])
  const worker = start(['work', '--jobs-at', address, '--labels', 'gpu,large', '--nice', '0'], { cwd: work.path })
  context.after(() => worker.signal('SIGKILL'))
  await worker.prints('working for ')
  const client = new RpcClient({ dial: dialSocket(address), clock, hash, random })
  const jobs = new RemoteScheduler({ client, shard: 'main', clock, random, labels: ['gpu'] })
  const { result } = jobs.submit({
    id: 'main.e1-j0',
    attempt: 1,
    handler: VERIFY,
    inputs: [],
    parameters: null,
    pinnedSeqnos: [],
    outputPrefix: 'main.e1-j0-a1-',
    requirements: { memoryBytes: 1_000_000, labels: ['gpu'] },
    priority: 1,
  })
  assert.deepEqual((await result).statistics, { files: 0, bytes: 0 })
  await jobs.close()
  await client.close()
})

test('tokens say who may do what, and are never shown', async (context) => {
  const work = new Workplace(context)
  const token = 'a secret for the shard main'
  writeFileSync(work.in('tokens.json'), JSON.stringify([{ name: 'main', token, shards: ['main'] }]))
  const words = ['--journal', 'j', '--files', 'f', '--listen', 'tcp://127.0.0.1:0', '--tokens', 'tokens.json']
  const { address, process } = await serve(context, work.path, words)
  await assert.rejects(openThere(address, 'main'), { code: 'PERMISSION_DENIED' })
  await assert.rejects(openThere(address, 'main', 'another secret altogether'), { code: 'PERMISSION_DENIED' })
  await assert.rejects(openThere(address, 'other', token), { code: 'PERMISSION_DENIED' })
  const shard = await openThere(address, 'main', token)
  await shard.put(bytes('a'), bytes('b'))
  await shard.close()
  process.signal('SIGINT')
  const { code, text, errors } = await process.ended
  assert.equal(code, 0)
  assert.ok(!`${text}${errors}`.includes('secret'))
})

test('a command line that makes no sense starts nothing and says which part of it', async (context) => {
  const work = new Workplace(context)
  writeFileSync(join(work.path, 'weak.json'), JSON.stringify([{ name: 'x', token: 'short' }]))
  writeFileSync(join(work.path, 'odd.json'), JSON.stringify([{ name: 'x', tokens: 'misspelt, and long enough' }]))
  writeFileSync(join(work.path, 'empty.pem'), '')
  writeFileSync(join(work.path, 'server.pem'), SERVER.certificate)
  writeFileSync(join(work.path, 'other.key'), CLIENT.key)
  writeFileSync(join(work.path, 'server.key'), SERVER.key)
  writeFileSync(join(work.path, 'certified.json'), JSON.stringify([{ name: 'x', certificate: 'client' }]))
  const secure = ['--listen', 'tls://127.0.0.1:0', '--files', 'f', '--certificate']
  for (const [words, expected] of [
    // It listened, and nobody could come.
    [[...secure, 'empty.pem', '--key', 'empty.pem'], /empty.pem has no certificate in PEM/],
    [[...secure, 'server.pem', '--key', 'empty.pem'], /empty.pem has no private key in PEM/],
    [[...secure, 'server.pem', '--key', 'other.key'], /other.key is not the private key of .* server.pem/],
    // Nobody was asked for a certificate.
    [[...secure, 'server.pem', '--key', 'server.key', '--tokens', 'certified.json'], /give --authorities FILE/],
    [[], /--listen/],
    [['--listen', 'tcp://127.0.0.1:0'], /something to serve/],
    [['--listen', 'here', '--files', 'f'], /not 'here'/],
    [['--listen', 'tls://127.0.0.1:0', '--files', 'f'], /--certificate/],
    [['--listen', 'tcp://127.0.0.1:0', '--files', 'f', '--journal', 'f'], /one directory only/],
    [['--listen', 'tcp://127.0.0.1:0', '--files', 'f', '--tokens', 'weak.json'], /16 characters/],
    [['--listen', 'tcp://127.0.0.1:0', '--files', 'f', '--tokens', 'odd.json'], /must be a list/],
    [['--listen', 'tcp://127.0.0.1:0', '--files', 'f', '--tokens', 'none.json'], /cannot be read/],
  ] as const) {
    const { code, errors } = await work.inProcess(['serve', ...words])
    assert.equal(code, 2, errors)
    assert.match(errors, expected)
  }
  const taken = await work.inProcess(['serve', '--listen', 'unix:empty.pem', '--files', 'g'])
  assert.equal(taken.code, 1)
  assert.match(taken.errors, /EXISTS: empty.pem is there, and is no socket/)
  const reachable = await work.inProcess(['serve', '--listen', 'tcp://0.0.0.0:0', '--files', 'f'])
  assert.equal(reachable.code, 1)
  assert.match(reachable.errors, /PERMISSION_DENIED.*tokens or certificates/)
})
