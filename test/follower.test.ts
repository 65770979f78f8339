/** Readers that follow a shard which is open elsewhere: what they see, when, and what becomes of files they read. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { followKv } from '../src/engines/kv/follow-kv.ts'
import type { KvFollower, KvFollowOptions } from '../src/engines/kv/follow-kv.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { LocalFileStore } from '../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../src/fs/local-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../src/journal/local-journal-system.ts'
import { isCode } from '../src/kernel/errors.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { decodeHead } from '../src/shard/head-content.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { failure } from '../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const hash = await loadHash()

/** A process of its own, on the same disk. */
async function follow(simulation: Simulation, options: KvFollowOptions = {}): Promise<KvFollower> {
  const { device, clock, random } = simulation
  const files = await LocalFileStore.open({ device, directory: 'files', hash })
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
  const settings = simulation.journalSettings
  const journal = new LocalJournalSystem({ device, directory: 'journal', hash, random, settings })
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const close = async (): Promise<void> => {
    await jobs.close()
    await files.close()
  }
  const parts = { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash, close }
  return followKv(parts, { settings: TINY_SETTINGS, ...options })
}

async function contentOf(db: KvShard): Promise<readonly string[]> {
  const found: string[] = []
  for await (const { key, value } of db.scan()) found.push(`${String(Buffer.from(key))}=${String(Buffer.from(value))}`)
  return found
}

function listed(model: ReadonlyMap<string, string>): readonly string[] {
  return [...model].map(([key, value]) => `${key}=${value}`).sort()
}

const key = (index: number): string => `key-${String(index).padStart(3, '0')}`

/** One thing that an owner does; the last three of 20 kinds end it, in one way or another. */
async function step(
  simulation: Simulation,
  model: Map<string, string>,
  random: SeededRandom,
  kinds = 20,
): Promise<void> {
  const { db } = simulation
  const what = random.below(kinds)
  if (what < 12) {
    for (let left = 1 + random.below(12); left > 0; left--) {
      const [at, value] = [key(random.below(200)), `${random.u32()}`.repeat(1 + random.below(4))]
      model.set(at, value)
      await db.put(Buffer.from(at), Buffer.from(value))
    }
  } else if (what < 14) {
    const at = key(random.below(200))
    model.delete(at)
    await db.delete(Buffer.from(at))
  } else if (what === 14) {
    const from = random.below(200)
    const [gte, lt] = [key(from), key(from + random.below(30))]
    for (const at of model.keys()) if (at >= gte && at < lt) model.delete(at)
    await db.deleteRange({ gte: Buffer.from(gte), lt: Buffer.from(lt) })
  } else if (what === 15) await db.flush()
  else if (what === 16) await db.compactRange()
  else if (what === 17) await simulation.reopen()
  else if (what === 18) await simulation.kill()
}

test('what a follower shows after a refresh is everything that was acknowledged before it', async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = new SeededRandom(seed)
    const simulation = await Simulation.start(seed, TINY_SETTINGS)
    const model = new Map<string, string>()
    let follower = await follow(simulation, { pin: 'one' })
    for (let steps = 0; steps < 30; steps++) {
      const { device } = simulation
      await step(simulation, model, random)
      if (simulation.device !== device) {
        // It has died with the machine: what it asks of its disk is never answered.
        follower = await follow(simulation, { pin: 'one' })
      }
      if (random.once(3)) continue
      const { seqno, held } = await follower.refresh()
      assert.equal(held, false)
      assert.deepEqual(await contentOf(follower.db), listed(model), `seed ${seed}, step ${steps}`)
      const at = key(random.below(200))
      const value = await follower.db.get(Buffer.from(at))
      assert.equal(value === undefined ? undefined : String(Buffer.from(value)), model.get(at))
      assert.ok(seqno > 0 || model.size === 0)
    }
    await follower.close()
    await simulation.stop()
  }
})

test('with a pin a scan reads to its end what was there when it began, whatever the owner does', async () => {
  for (let seed = 1; seed <= 2; seed++) {
    const random = new SeededRandom(seed)
    const simulation = await Simulation.start(seed, TINY_SETTINGS)
    const model = new Map<string, string>()
    const follower = await follow(simulation, { pin: 'scanner' })
    for (let round = 0; round < 2; round++) {
      for (let steps = 0; steps < 8; steps++) await step(simulation, model, random, 17)
      await follower.refresh()
      const wanted = listed(model)
      const scan = follower.db.scan()
      const found: string[] = []
      for (;;) {
        const entries = await scan.next(20)
        if (entries.length === 0) break
        for (const entry of entries) found.push(`${String(Buffer.from(entry.key))}=${String(Buffer.from(entry.value))}`)
        await step(simulation, model, random, 17)
        if (random.once(2)) await simulation.db.compactRange()
        await follower.refresh()
      }
      scan.close()
      assert.deepEqual(found, wanted, `seed ${seed}`)
      assert.equal((await follower.refresh()).held, false)
      assert.deepEqual(await contentOf(follower.db), listed(model))
    }
    await follower.close()
    await simulation.stop()
  }
})

test('without a pin a read may come too late for a file, and a refresh shows what took its place', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  const model = new Map<string, string>()
  const fill = async (value: string): Promise<void> => {
    for (let index = 0; index < 200; index++) {
      model.set(key(index), `${value} ${index}`)
      await simulation.db.put(Buffer.from(key(index)), Buffer.from(`${value} ${index}`))
    }
    await simulation.db.compactRange()
  }
  await fill('first')
  const bare = await follow(simulation)
  await fill('second')
  await simulation.reopen()
  await assert.rejects(contentOf(bare.db), (error) => isCode(error, 'FILE_MISSING'))
  const pinned = await follow(simulation, { pin: 'pinned' })
  const second = listed(model)
  await fill('third')
  await simulation.reopen()
  assert.deepEqual(await contentOf(pinned.db), second)
  await bare.refresh()
  assert.deepEqual(await contentOf(bare.db), listed(model))
  await bare.close()
  await pinned.close()
  await simulation.stop()
})

test('a follower that ends, or begins again under its name, leaves no pin behind', async () => {
  const simulation = await Simulation.start(3, TINY_SETTINGS)
  const pins = async (): Promise<readonly string[]> => {
    const heads = await LocalHeadStore.open({
      device: simulation.device,
      directory: 'heads',
      hash,
      random: simulation.random,
    })
    const head = await heads.read(shardId('main'))
    return decodeHead((head as { content: Uint8Array }).content, 'main').pins.map(({ name }) => name)
  }
  for (let index = 0; index < 100; index++) await simulation.db.put(Buffer.from(key(index)), Buffer.alloc(40))
  await simulation.db.flush()
  const first = await follow(simulation, { pin: 'reader' })
  assert.deepEqual(await pins(), ['follower:main:reader'])
  // Died.
  const second = await follow(simulation, { pin: 'reader' })
  await simulation.db.compactRange()
  await second.refresh()
  assert.deepEqual(await pins(), ['follower:main:reader'])
  await second.close()
  assert.deepEqual(await pins(), [])
  await assert.rejects(second.refresh(), (error) => isCode(error, 'CLOSED'))
  await first.db.close()
  await simulation.stop()
})

test('a follower goes back with the owner where a power cut has taken what it had seen', async () => {
  let taken = 0
  for (let seed = 1; seed <= 20; seed++) {
    const simulation = await Simulation.start(seed, TINY_SETTINGS)
    for (let index = 0; index < 10; index++) await simulation.db.put(Buffer.from(key(index)), Buffer.from('synced'))
    await simulation.db.sync()
    for (let index = 0; index < 10; index++) await simulation.db.put(Buffer.from(key(index)), Buffer.from('written'))
    const before = await follow(simulation)
    assert.equal((await contentOf(before.db)).filter((entry) => entry.endsWith('written')).length, 10)
    await simulation.powerCut()
    const after = await follow(simulation)
    const found = await contentOf(after.db)
    assert.deepEqual(found, await contentOf(simulation.db), `seed ${seed}`)
    if (found.some((entry) => entry.endsWith('synced'))) taken++
    await simulation.db.put(Buffer.from(key(3)), Buffer.from('after'))
    await after.refresh()
    assert.deepEqual(await contentOf(after.db), await contentOf(simulation.db), `seed ${seed}`)
    await after.close()
    await simulation.stop()
  }
  assert.ok(taken > 0, 'no power cut has taken anything')
})

test('a follower says how stale it is, refreshes by itself, and writes nothing', async () => {
  const simulation = await Simulation.start(5, TINY_SETTINGS)
  const { clock } = simulation
  const follower = await follow(simulation, { everyMs: 50 })
  await simulation.db.put(Buffer.from('a'), Buffer.from('1'))
  clock.advance(40)
  assert.equal(follower.state.staleMs, 40)
  assert.equal(await follower.db.get(Buffer.from('a')), undefined)
  clock.advance(10)
  // Waits for the one under way.
  await follower.refresh()
  assert.ok((await follower.db.get(Buffer.from('a'))) !== undefined)
  assert.equal(follower.state.staleMs, 0)
  for (const refused of [
    follower.db.put(Buffer.from('b'), Buffer.from('2')),
    follower.db.flush(),
    follower.db.clone('c'),
  ])
    await assert.rejects(refused, (error) => isCode(error, 'READ_ONLY'))
  await follower.close()
  await simulation.stop()
})

test('a follower of a shard that was split says so, and goes on showing what it had', async () => {
  const simulation = await Simulation.start(6, TINY_SETTINGS)
  const follower = await follow(simulation, { pin: 'reader' })
  for (let index = 0; index < 50; index++) await simulation.db.put(Buffer.from(key(index)), Buffer.from('value'))
  await follower.refresh()
  const before = await contentOf(follower.db)
  await simulation.db.split(Buffer.from(key(20)), 'left', 'right')
  await assert.rejects(follower.refresh(), (error) => isCode(error, 'SUPERSEDED'))
  assert.equal(before.length, 50)
  assert.deepEqual(await contentOf(follower.db), before)
  await follower.close()
  await simulation.stop().catch(() => undefined)
})

test('a follower whose refresh fails tells its caller, goes on showing what it had, and refreshes again', async () => {
  const simulation = await Simulation.start(8, TINY_SETTINGS)
  const { clock, db } = simulation
  await db.put(Buffer.from('a'), Buffer.from('1'))
  const told: unknown[] = []
  const { signal } = new AbortController()
  const follower = await follow(simulation, { everyMs: 50, signal, onError: (error) => void told.push(error) })
  await db.put(Buffer.from('b'), Buffer.from('2'))
  simulation.beforeOperation = ({ operation, path }) => {
    if (path.startsWith('heads')) throw failure('IO_FAILED', operation, path)
  }
  clock.advance(50)
  // Waits for the one under way.
  await assert.rejects(follower.refresh(), { code: 'IO_FAILED' })
  assert.ok(told.length === 1 && isCode(told[0], 'IO_FAILED'))
  assert.deepEqual(await contentOf(follower.db), ['a=1'])
  simulation.beforeOperation = () => {}
  clock.advance(50)
  await follower.refresh()
  assert.deepEqual(await contentOf(follower.db), ['a=1', 'b=2'])
  await follower[Symbol.asyncDispose]()
  await assert.rejects(follower.refresh(), { code: 'CLOSED' })
  await assert.rejects(follow(simulation, { everyMs: 0 }), RangeError)
  await assert.rejects(follow(simulation, { pin: '' }), RangeError)
  await simulation.stop()
})

test('a follower that finds damage under a head that stays says so, and leaves no pin behind', async () => {
  const simulation = await Simulation.start(9, TINY_SETTINGS)
  // A file, which is pinned before the journal is read.
  await simulation.db.put(Buffer.from('a'), Buffer.from('in a file'))
  await simulation.db.flush()
  await simulation.db.put(Buffer.from('a'), Buffer.from('value'), { durability: 'synced' })
  const segment = simulation.device.inode(simulation.device.files().findLast((path) => path.endsWith('.log')) as string)
  segment.flipBit(Buffer.from(segment.content()).indexOf('value'), 1)
  await assert.rejects(follow(simulation, { pin: 'reader' }), { code: 'JOURNAL_CORRUPT' })
  const { device, random } = simulation
  const heads = await LocalHeadStore.open({ device, random, directory: 'heads', hash })
  const head = await heads.read(shardId('main'))
  assert.deepEqual(decodeHead(head?.content as Uint8Array, 'head').pins, [])
  simulation.beforeOperation = ({ operation, path }) => {
    if (path.startsWith('journal')) throw failure('IO_FAILED', operation, path)
  }
  await assert.rejects(follow(simulation, { pin: 'reader' }), { code: 'IO_FAILED' })
})
