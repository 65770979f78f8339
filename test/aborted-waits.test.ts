/** Calls with a signal do not wait for what does not answer: heads, files and journals that are elsewhere, and silent. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MapClient } from '../src/cluster/map-client.ts'
import { rangeMap } from '../src/cluster/map-changes.ts'
import { followKv } from '../src/engines/kv/follow-kv.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import { isCode } from '../src/kernel/errors.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { epoch, shardId } from '../src/kernel/ids.ts'
import { RemoteJournalSystem } from '../src/journal/remote/remote-journal-system.ts'
import { RpcClient } from '../src/rpc/client.ts'
import { dialLoopback } from '../src/rpc/loopback.ts'
import type { RpcRequest } from '../src/rpc/rpc.ts'
import { RpcServer } from '../src/rpc/server.ts'
import { Deferred } from '../src/shard/deferred.ts'
import { MemoryStateKeeper } from '../src/testing/memory-state-keeper.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { SimulatedClock } from '../src/testing/simulated-clock.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const [KEY, VALUE] = [Buffer.from('key'), Buffer.from('value')]

/** The components of a shard, of which some do not answer while they are silent. */
class Silence {
  readonly #silent = new Set<string>()
  #over = new Deferred<void>()
  /** Resolves when something waits. */
  waits = new Deferred<void>()

  begin(...what: readonly ('heads' | 'journal' | 'barrier')[]): void {
    for (const each of what) this.#silent.add(each)
    this.#over = new Deferred()
    this.waits = new Deferred()
  }

  end(): void {
    this.#silent.clear()
    this.#over.resolve()
  }

  compose(parts: KvComponents): KvComponents {
    const { heads, journal } = parts
    return {
      ...parts,
      heads: {
        name: heads.name,
        read: async (...call) => (await this.#pass('heads'), heads.read(...call)),
        compareAndSet: async (...call) => (await this.#pass('heads'), heads.compareAndSet(...call)),
      },
      journal: {
        name: journal.name,
        version: journal.version,
        supports: journal.supports,
        open: async (...call) => {
          await this.#pass('journal')
          const opened = await journal.open(...call)
          const barrier = opened.barrier.bind(opened)
          return Object.assign(opened, { barrier: async () => (await this.#pass('barrier'), barrier()) })
        },
        openReadOnly: async (...call) => (await this.#pass('journal'), journal.openReadOnly(...call)),
      },
    }
  }

  async #pass(what: string): Promise<void> {
    if (!this.#silent.has(what)) return
    this.waits.resolve()
    await this.#over.promise
  }
}

async function abortedOnceItWaits(silence: Silence, call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const controller = new AbortController()
  const calling = call(controller.signal)
  await Promise.race([silence.waits.promise, calling])
  controller.abort()
  await assert.rejects(calling, (error) => isCode(error, 'ABORTED'))
}

/** A shard that is open, and the components of another process over the same disk, which may fall silent. */
async function start(): Promise<{ simulation: Simulation; silence: Silence; elsewhere: KvComponents }> {
  const silence = new Silence()
  const given: KvComponents[] = []
  const simulation = new Simulation(1, TINY_SETTINGS)
  simulation.composer = {
    compose: (parts) => {
      const { close: _close, ...kept } = silence.compose(parts)
      given.push(kept)
      return { ...silence.compose(parts) }
    },
  }
  await simulation.open()
  await simulation.db.put(KEY, VALUE)
  return { simulation, silence, elsewhere: given[0] as KvComponents }
}

test('an opening that is aborted does not wait for heads that are silent, and takes nothing over later', async () => {
  const { simulation, silence, elsewhere } = await start()
  for (const readOnly of [false, true]) {
    silence.begin('heads')
    await abortedOnceItWaits(silence, (signal) => openKv(elsewhere, { signal, readOnly }))
    silence.end()
  }
  await simulation.clock.turn()
  await simulation.db.put(KEY, VALUE)
  assert.deepEqual(await simulation.db.get(KEY, { fresh: true }), VALUE)
  await simulation.stop()
})

test('a follower that is aborted while it begins or refreshes does not wait, and goes on when it is asked again', async () => {
  const { simulation, silence, elsewhere } = await start()
  for (const what of ['heads', 'journal'] as const) {
    silence.begin(what)
    await abortedOnceItWaits(silence, (signal) => followKv(elsewhere, { signal, pin: 'one' }))
    silence.end()
    const follower = await followKv(elsewhere, { pin: 'one' })
    silence.begin(what)
    await abortedOnceItWaits(silence, (signal) => follower.refresh(signal))
    silence.end()
    await simulation.db.put(KEY, Buffer.from(what))
    await follower.refresh()
    assert.deepEqual(await follower.db.get(KEY), Buffer.from(what))
    await follower.close()
  }
  await simulation.stop()
})

test('a fresh read that is aborted does not wait for a journal that is silent', async () => {
  const { simulation, silence } = await start()
  const { db } = simulation
  for (const read of [
    (signal: AbortSignal): Promise<unknown> => db.get(KEY, { fresh: true, signal }),
    (signal: AbortSignal): Promise<unknown> => db.getMany([KEY], { fresh: true, signal }),
    (signal: AbortSignal): Promise<unknown> => db.has(KEY, { fresh: true, signal }),
  ]) {
    silence.begin('barrier')
    await abortedOnceItWaits(silence, read)
    silence.end()
  }
  assert.deepEqual(await db.get(KEY, { fresh: true }), VALUE)
  await simulation.stop()
})

test('a client of a map that is aborted does not wait for the map, and others who ask for it do', async () => {
  const reading = new Deferred<ReturnType<typeof rangeMap>>()
  const client = new MapClient({ store: { read: () => reading.promise }, clock: new SimulatedClock() })
  const other = client.map()
  for (const call of [
    (signal: AbortSignal) => client.map({ signal }),
    (signal: AbortSignal) => client.refresh({ signal }),
    (signal: AbortSignal) => client.run(KEY, () => Promise.resolve(), { signal }),
  ]) {
    const controller = new AbortController()
    const calling = call(controller.signal)
    controller.abort()
    await assert.rejects(calling, (error) => isCode(error, 'ABORTED'))
  }
  const map = rangeMap([{ shard: shardId('main') }])
  reading.resolve(map)
  assert.equal(await other, map)
  // Nobody has the shard: it pauses.
  const controller = new AbortController()
  const running = client.run(KEY, () => Promise.resolve(), { signal: controller.signal })
  for (let turns = 0; turns < 20; turns++) await Promise.resolve()
  controller.abort()
  await assert.rejects(running, (error) => isCode(error, 'ABORTED'))
})

test('a call or an opening of a journal elsewhere that is aborted waits for no connection and no answer', async () => {
  const [clock, random, hash] = [new SimulatedClock(), new SeededRandom(1), await loadHash()]
  const nowhere = new RpcClient({ dial: () => new Promise(() => undefined), clock, hash, random })
  const controller = new AbortController()
  const { signal } = controller
  const calling = nowhere.call({ service: 'journal', method: 'describe', parameters: [], signal })
  const silent = {
    name: 'journal',
    roles: ['journal'] as const,
    openSession: () => ({
      call: ({ method }: RpcRequest) =>
        method === 'describe'
          ? Promise.resolve({ value: ['local', 1, ['written'], true] })
          : new Promise<never>(() => undefined),
      close: () => Promise.resolve(),
    }),
  }
  const server = new RpcServer({ services: [silent], clock, hash })
  const client = new RpcClient({ dial: dialLoopback(server), clock, hash, random })
  const journals = await RemoteJournalSystem.connect({ client, random })
  const main = shardId('main')
  const openings = [
    calling,
    journals.open(main, epoch(1), new MemoryStateKeeper(), undefined, { signal }),
    journals.openReadOnly(main, undefined, undefined, { signal }),
  ]
  const ended = Promise.allSettled(openings)
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve))
  controller.abort()
  for (const each of await ended) assert.ok(each.status === 'rejected' && isCode(each.reason, 'ABORTED'))
  await client.close()
  await server.close()
})
