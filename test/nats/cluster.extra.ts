/** Journals and heads on three JetStream servers, of which one is killed while they are written, and taken over under load. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import type { Head } from '../../src/fs/fs.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../../src/kernel/ids.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const hash = await loadHash()
const SHARD = shardId('orders')
const settings = { replicas: 3, resumeMs: 60_000 }
// On a busy machine an election takes longer than anybody should wait who opens something.
const PATIENT = { openMs: 60_000 }
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** Writes numbered batches until it is stopped, and keeps what was acknowledged and what was not. */
class Writer {
  readonly acknowledged: string[] = []
  readonly failed: string[] = []
  readonly codes = new Set<string>()
  readonly done: Promise<void>
  #stopped = false

  constructor(journal: Journal, name: string) {
    this.done = this.#write(journal, name)
  }

  async #write(journal: Journal, name: string): Promise<void> {
    const settling: Promise<void>[] = []
    for (let index = 0; !this.#stopped && this.codes.size === 0; index++) {
      const text = `${name} ${index} ${'x'.repeat(index % 500)}`
      settling.push(
        journal.append(Buffer.from(text), 'written').written.then(
          () => void this.acknowledged.push(text),
          (error: unknown) => {
            this.failed.push(text)
            this.codes.add(isCode(error, 'FENCED', 'OUTCOME_UNKNOWN') ? error.code : String(error))
          },
        ),
      )
      // Some hundred a second, several of them under way.
      if (index % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 10))
      await journal.ready().catch(() => undefined)
    }
    await Promise.all(settling)
  }

  async until(count: number): Promise<void> {
    while (this.acknowledged.length < count && this.codes.size === 0)
      await new Promise((resolve) => setTimeout(resolve, 20))
  }

  stop(): Promise<void> {
    this.#stopped = true
    return this.done
  }
}

describe('three servers', skipWithoutNats, () => {
  let place: NatsPlace
  before(async () => {
    place = await NatsPlace.start(3)
  })
  after(() => place.stop())

  async function batchesOf(journal: Journal): Promise<string[]> {
    const found: string[] = []
    await journal.replay(journal.start, (payload) => void found.push(textOf(payload)))
    return found
  }

  test('a leader that is killed while it is written to, and comes back, loses and repeats nothing', async (context) => {
    const keeper = new MemoryStateKeeper()
    const system = async (): Promise<NatsJournalSystem> =>
      new NatsJournalSystem({ streams: await place.streams(PATIENT), hash, clock, random, settings })
    const journal = await (await system()).open(SHARD, epoch(1), keeper)
    const writer = new Writer(journal, 'first')
    const expected: string[] = []
    for (const round of [1, 2]) {
      await writer.until(writer.acknowledged.length + 300)
      // The first time the leader, then one of the others.
      const leader = (await place.servers.leader('varve-journal-orders')) ?? 0
      const victim = round === 1 ? leader : (leader + 1) % 3
      await place.servers.kill(victim)
      await writer.until(writer.acknowledged.length + 300)
      place.servers.run(victim)
      await place.servers.ready()
    }
    await writer.until(writer.acknowledged.length + 100)

    // Taken over while it writes.
    const next = await (await system()).open(SHARD, epoch(2), keeper)
    const found = await batchesOf(next)
    await writer.stop()
    assert.deepEqual([...writer.codes], ['FENCED'], 'the former owner was told so')
    await assert.rejects(journal.append(Buffer.from('zombie'), 'written').written, (error) => isCode(error, 'FENCED'))
    await assert.rejects(journal.barrier(), (error) => isCode(error, 'FENCED'))
    expected.push(...writer.acknowledged)
    assert.deepEqual(found.slice(0, expected.length), expected, 'what was acknowledged is there, once and in order')
    const unknown = found.slice(expected.length)
    assert.deepEqual(unknown, writer.failed.slice(0, unknown.length), 'and nothing but what was under way after it')

    const second = new Writer(next, 'second')
    await second.until(300)
    await second.stop()
    assert.deepEqual([...second.codes], [])
    await next.close()
    const third = await (await system()).open(SHARD, epoch(3), keeper)
    assert.deepEqual(await batchesOf(third), [...found, ...second.acknowledged], 'nothing of the zombie came later')
    context.diagnostic(
      `${expected.length} acknowledged by the first owner, ${second.acknowledged.length} by the second`,
    )
  })

  // Servers before 2.9.18 made every purge of their log once more, up to the newest message of its time.
  test('servers that are all started anew have what no truncation was to remove', async () => {
    const [shard, keeper] = [shardId('truncated'), new MemoryStateKeeper()]
    const system = async (): Promise<NatsJournalSystem> =>
      new NatsJournalSystem({ streams: await place.streams(PATIENT), hash, clock, random, settings })
    const journal = await (await system()).open(shard, epoch(1), keeper)
    const heads = new NatsHeadStore({ streams: await place.streams(PATIENT), hash, clock, random, settings })
    const version = await heads.compareAndSet(shard, undefined, Buffer.from('1'))
    const append = async (first: number, count: number): Promise<void> => {
      for (let index = first; index < first + count; index++)
        await journal.append(Buffer.from(`${index} `.padEnd(1_000, 'x')), 'written').written
    }
    await append(0, 300)
    await journal.truncate(journalPosition(150_000))
    assert.ok(journal.start > 60_000, 'something was removed')
    await append(300, 50)
    await heads.compareAndSet(shard, version, Buffer.from('2'))
    const numbersOf = async (of: Journal): Promise<number[]> =>
      (await batchesOf(of)).map((text) => Number.parseInt(text, 10))
    const expected = Array.from({ length: 350 - journal.start / 1_000 }, (_, each) => journal.start / 1_000 + each)
    assert.deepEqual(await numbersOf(journal), expected)
    await journal.close()
    for (const index of [0, 1, 2]) await place.servers.kill(index)
    for (const index of [0, 1, 2]) place.servers.run(index)
    await place.servers.ready()
    const again = await (await system()).open(shard, epoch(2), keeper, journalPosition(150_000))
    assert.deepEqual(await numbersOf(again), expected)
    const readers = new NatsHeadStore({ streams: await place.streams(PATIENT), hash, clock, random, settings })
    assert.equal(textOf((await readers.read(shard))?.content ?? new Uint8Array(0)), '2')
    await again.close()
  })

  test('a counter in a head loses no step while servers are killed one after the other', async (context) => {
    let made = 0
    let conflicts = 0
    let stopped = false
    const count = async (): Promise<void> => {
      const heads = new NatsHeadStore({ streams: await place.streams(PATIENT), hash, clock, random, settings })
      while (!stopped) {
        const head: Head | undefined = await heads.read(SHARD)
        const next = Buffer.from(String(Number(textOf(head?.content ?? new Uint8Array(0))) + 1))
        const outcome = await heads.compareAndSet(SHARD, head?.version, next).catch((error: unknown) => error)
        if (typeof outcome === 'string') made++
        else if (isCode(outcome, 'HEAD_CONFLICT')) conflicts++
        else throw outcome
      }
    }
    const counting = Promise.all([count(), count(), count()])
    const until = async (target: number): Promise<void> => {
      while (made < target) await Promise.race([counting, new Promise((resolve) => setTimeout(resolve, 20))])
    }
    for (let victim = 0; victim < 3; victim++) {
      await until(made + 50)
      await place.servers.kill(victim)
      await until(made + 50)
      place.servers.run(victim)
      await place.servers.ready()
    }
    stopped = true
    await counting
    const heads = new NatsHeadStore({ streams: await place.streams(PATIENT), hash, clock, random, settings })
    const sum = Number(textOf((await heads.read(SHARD))?.content ?? new Uint8Array(0)))
    assert.ok(
      sum >= made && sum <= made + conflicts,
      `${made} acknowledged steps, ${conflicts} conflicts, ${sum} counted`,
    )
    context.diagnostic(`${made} steps, ${conflicts} conflicts`)
  })
})
