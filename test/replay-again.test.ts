/** A journal that finds out, while it is replayed, that what it has visited is not what its log has: as one on NATS does. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { followKv } from '../src/engines/kv/follow-kv.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import type { JournalReader } from '../src/journal/journal.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { POSITION_ZERO, shardId } from '../src/kernel/ids.ts'
import type { ShardId } from '../src/kernel/ids.ts'
import { SystemClock } from '../src/system-clock.ts'
import { SystemRandom } from '../src/system-random.ts'

const hash = await loadHash()
const [STRAY, MAIN] = [shardId('stray'), shardId('main')]

/** Visits what another shard has written before what it is asked for, twice. */
class DoubtfulJournalSystem extends MemoryJournalSystem {
  /** How often somebody began anew. */
  begun = 0

  override async open(...given: Parameters<MemoryJournalSystem['open']>): ReturnType<MemoryJournalSystem['open']> {
    return this.#doubtful(given[0], await super.open(...given))
  }

  override async openReadOnly(
    ...given: Parameters<MemoryJournalSystem['openReadOnly']>
  ): ReturnType<MemoryJournalSystem['openReadOnly']> {
    return this.#doubtful(given[0], await super.openReadOnly(...given))
  }

  #doubtful<Reader extends JournalReader>(shard: ShardId, reader: Reader): Reader {
    if (shard === STRAY) return reader
    const replay = reader.replay.bind(reader)
    const doubtful: JournalReader['replay'] = async (from, visit, again) => {
      const stray = await super.openReadOnly(STRAY)
      for (let time = 0; time < 2 && from === 0 && again !== undefined; time++) {
        await stray.replay(POSITION_ZERO, visit)
        again()
        this.begun++
      }
      return replay(from, visit)
    }
    return Object.assign(reader, { replay: doubtful })
  }
}

class Place {
  readonly #storage = new MemoryJournalStorage()
  readonly #files = new MemoryFileStore({ hash })
  readonly #heads = new MemoryHeadStore()
  readonly doubtful = new DoubtfulJournalSystem({ storage: this.#storage })

  components(shard: ShardId): KvComponents {
    const [clock, random, files, heads] = [new SystemClock(), new SystemRandom(), this.#files, this.#heads]
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const jobs = new InlineScheduler({ files, hash, clock, handlers })
    return { shard, files, heads, journal: this.doubtful, jobs, clock, random, hash }
  }

  /** Keys of `shard`, in its journal only. */
  async write(shard: ShardId, count: number): Promise<void> {
    const db = await openKv(this.components(shard))
    for (let index = 0; index < count; index++)
      await db.put(Buffer.from(`${shard} ${String(index).padStart(3, '0')}`), Buffer.alloc(100))
    await db.close()
  }
}

async function keysOf(db: KvShard): Promise<readonly string[]> {
  const keys: string[] = []
  for await (const { key } of db.scan()) keys.push(Buffer.from(key).toString())
  return keys
}

const expected = Array.from({ length: 200 }, (_, index) => `main ${String(index).padStart(3, '0')}`)

test('of what a journal visits and takes back an opening keeps nothing, however many tables it made', async () => {
  for (const memtableBytes of [2048, 1_000_000]) {
    const place = new Place()
    await place.write(STRAY, 250)
    await place.write(MAIN, 200)
    place.doubtful.begun = 0
    const read = await openKv(place.components(MAIN), { readOnly: true })
    assert.deepEqual(await keysOf(read), expected)
    await read.close()
    assert.equal(place.doubtful.begun, 2)
    for (let opening = 0; opening < 2; opening++) {
      const db = await openKv(place.components(MAIN), { settings: { memtableBytes } })
      assert.deepEqual(await keysOf(db), expected)
      await db.put(Buffer.from('main 000'), Buffer.from(`again ${opening}`))
      await db.flush()
      assert.deepEqual(await keysOf(db), expected)
      await db.close()
    }
  }
})

test('a follower that shows tables already does not begin again in them', async () => {
  const place = new Place()
  await place.write(STRAY, 5)
  const owner = await openKv(place.components(MAIN))
  const follower = await followKv(place.components(MAIN), { everyMs: 3_600_000 })
  const before = place.doubtful.begun
  await owner.put(Buffer.from('key'), Buffer.from('value'))
  await follower.refresh()
  assert.equal(place.doubtful.begun, before)
  assert.deepEqual(await keysOf(follower.db), ['key'])
  await follower.close()
  await owner.close()
})
