/** Changing and following a map while others do, over a store that is late and loses answers. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { shardId } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import type { Head, HeadStore, HeadVersion } from '../fs/fs.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { assign, rangeMap, replaceShards } from './map-changes.ts'
import { MapClient } from './map-client.ts'
import { MapStore } from './map-store.ts'
import { entryFor, entryOf } from './shard-map.ts'

const NAME = shardId('map')
const [LEFT, RIGHT] = [shardId('left'), shardId('right')]
const key = (text: string): Uint8Array => Buffer.from(text)

/** Answers late, in any order, and loses some answers before and some after what was asked for has happened. */
class UnreliableHeads implements HeadStore {
  readonly name = 'unreliable'
  readonly #heads = new MemoryHeadStore()
  readonly #random: SeededRandom

  constructor(random: SeededRandom) {
    this.#random = random
  }

  async read(name: ShardId): Promise<Head | undefined> {
    await this.#late()
    return this.#heads.read(name)
  }

  async compareAndSet(name: ShardId, expected: HeadVersion | undefined, content: Uint8Array): Promise<HeadVersion> {
    await this.#late()
    if (this.#random.once(8)) throw lost()
    const version = await this.#heads.compareAndSet(name, expected, content)
    await this.#late()
    if (this.#random.once(4)) throw lost()
    return version
  }

  async #late(): Promise<void> {
    for (let left = this.#random.below(12); left > 0; left--) await Promise.resolve()
  }
}

function lost(): VarveError {
  return new VarveError('OUTCOME_UNKNOWN', 'the answer was lost')
}

test('of all who claim a shard at the same term one gets it, whatever answers are lost', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(seed)
    const heads = new UnreliableHeads(random)
    await retried(() =>
      new MapStore({ heads, name: NAME }).create(rangeMap([{ shard: LEFT }, { shard: RIGHT, start: key('m') }])),
    )
    const owners = new Map<string, string>()
    let claims = 0
    const node = async (name: string): Promise<void> => {
      const store = new MapStore({ heads, name: NAME })
      for (let round = 0; round < 6; round++) {
        const shard = random.once(2) ? LEFT : RIGHT
        const seen = entryOf(await store.read(), shard)
        if (seen === undefined || seen.owner === name) continue
        try {
          const map = await store.change((now) => assign(now, shard, name, seen.term))
          const got = `${shard} ${seen.term + 1}`
          assert.equal(entryOf(map, shard)?.owner, name)
          assert.equal(owners.get(got), undefined, `seed ${seed}: term ${got} went to two nodes`)
          owners.set(got, name)
          claims++
        } catch (error) {
          if (!isCode(error, 'HEAD_CONFLICT')) throw error
        }
      }
    }
    await Promise.all(['one', 'two', 'three', 'four'].map(node))
    const end = await new MapStore({ heads, name: NAME }).read()
    assert.equal(end.revision, 1 + end.entries.reduce((sum, { term }) => sum + term, 0), `seed ${seed}`)
    // Who was replaced before it heard that it had got the shard may be told that it has not.
    assert.ok(claims > 4 && claims < end.revision, `seed ${seed}: ${claims} claims, ${end.revision - 1} changes`)
  }
})

test('a client finds every key where it is while shards change hands, split and merge', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed)
    const clock = new SimulatedClock()
    const heads = new UnreliableHeads(random)
    const store = new MapStore({ heads, name: NAME })
    await retried(() => store.create(rangeMap([{ shard: LEFT }, { shard: RIGHT, start: key('m') }])))
    // What the nodes know: who took which shard over last, and which were replaced.
    const owners = new Map<ShardId, string>()
    let next = 1
    const move = async (): Promise<void> => {
      const map = await store.read()
      const entry = map.entries[random.below(map.entries.length)] as (typeof map.entries)[number]
      const after = map.entries[map.entries.indexOf(entry) + 1]
      const name = (): ShardId => shardId(`s${next++}`)
      if (after !== undefined && random.once(5)) {
        const merged = name()
        for (const { shard } of [entry, after]) owners.delete(shard)
        owners.set(merged, entry.owner ?? 'nobody')
        await store.change((now) => replaceShards(now, [entry.shard, after.shard], [{ shard: merged }]))
      } else if (random.once(4)) {
        const at = Buffer.concat([entry.start, Buffer.from([random.below(255)])])
        if (after !== undefined && Buffer.compare(at, after.start) >= 0) return
        const [one, two] = [name(), name()]
        owners.delete(entry.shard)
        for (const shard of [one, two]) owners.set(shard, entry.owner ?? 'nobody')
        await store.change((now) => replaceShards(now, [entry.shard], [{ shard: one }, { shard: two, start: at }]))
      } else {
        const node = `node-${random.below(4)}`
        owners.set(entry.shard, node)
        await store.change((now) => assign(now, entry.shard, node))
      }
    }
    const client = new MapClient({ store, clock, settings: { pauseMs: 1, pauseMsMax: 4, patienceMs: 60_000 } })
    const moving = (async () => {
      for (let moves = 0; moves < 30; moves++) {
        await move()
        for (let turns = random.below(40); turns > 0; turns--) await Promise.resolve()
      }
      // Whoever has nothing yet gets something in the end.
      for (const { shard } of (await store.read()).entries) {
        owners.set(shard, 'last')
        await store.change((now) => assign(now, shard, 'last'))
      }
    })()
    const asking = Array.from({ length: 40 }, async (_, index) => {
      const wanted = key(String.fromCharCode(97 + (index % 26)))
      await client.run(wanted, async (entry) => {
        await Promise.resolve()
        const owner = owners.get(entry.shard)
        if (owner === undefined) throw new VarveError('SUPERSEDED', 'it was split or merged')
        if (owner !== entry.owner) throw new VarveError('FENCED', 'another has it')
      })
    })
    let done = false
    const all = Promise.all([moving, ...asking]).finally(() => (done = true))
    while (!done) {
      clock.advance(1)
      await clock.turn()
    }
    await all
    const { revision } = await client.refresh()
    assert.ok(revision > 10, `seed ${seed}: the map has only changed ${revision} times`)
  }
})

test('a client gives up after its patience, says nobody has the shard, and passes on what is no move', async () => {
  const clock = new SimulatedClock()
  const store = new MapStore({ heads: new MemoryHeadStore(), name: NAME })
  const client = new MapClient({ store, clock })
  await assert.rejects(client.map(), (error) => isCode(error, 'NOT_FOUND'))
  await store.create(rangeMap([{ shard: LEFT }]))
  await assert.rejects(store.create(rangeMap([{ shard: RIGHT }])), (error) => isCode(error, 'EXISTS'))
  let ended = false
  const waiting = client.run(key('x'), () => Promise.resolve(1)).finally(() => (ended = true))
  waiting.catch(() => undefined)
  while (!ended) {
    clock.advance(100)
    await clock.turn()
  }
  await assert.rejects(waiting, (error) => isCode(error, 'BUSY'))
  assert.ok(clock.monotonic() >= 30_000)
  await store.change((map) => assign(map, LEFT, 'node'))
  await client.refresh()
  await assert.rejects(
    client.run(key('x'), () => Promise.reject(new RangeError('no'))),
    RangeError,
  )
  assert.equal(await client.run(key('x'), (entry) => Promise.resolve(entry.owner)), 'node')
  assert.equal(entryFor(await client.map(), key('x')).shard, LEFT)
})

test('a client keeps the newest map that it has seen, though a store answers with an older one', async () => {
  const old = rangeMap([{ shard: LEFT }])
  const maps = [assign(old, LEFT, 'node'), old]
  const store = { read: () => Promise.resolve(maps.shift() ?? old) } as unknown as MapStore
  const client = new MapClient({ store, clock: new SimulatedClock() })
  for (let time = 0; time < 3; time++) assert.equal((await client.refresh()).revision, old.revision + 1)
})

async function retried(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isCode(error, 'OUTCOME_UNKNOWN')) throw error
    }
  }
}
