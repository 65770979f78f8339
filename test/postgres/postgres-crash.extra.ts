/**
 * A PostgreSQL server that is killed, connections that are cut and owners that are replaced, all while appends are under way.
 *
 * The server writes its log behind only when it must, so that commits that nobody waits for are lost when it is killed.
 */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import type { Append, Journal } from '../../src/journal/journal.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { POSITION_ZERO, epoch, shardId } from '../../src/kernel/ids.ts'
import type { PostgresDatabase } from '../../src/postgres/postgres-database.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { PostgresPlace, clock } from './postgres-place.ts'

const SHARD = shardId('main')
const hash = await loadHash()
const random = new SystemRandom()
const place = await PostgresPlace.start(['wal_writer_delay=10s', 'wal_writer_flush_after=0'])

after(() => place.stop())

const connect = (database: PostgresDatabase): Promise<PostgresJournalSystem> =>
  PostgresJournalSystem.connect({ database, hash, random })

async function query(database: PostgresDatabase, text: string): Promise<string | null | undefined> {
  return (await database.repeat({ name: '', text }, [])).rows[0]?.['value']
}

function numbered(index: number): Uint8Array {
  const payload = new Uint8Array(4 + (index % 200))
  new DataView(payload.buffer).setUint32(0, index)
  return payload
}

async function numbersOf(journal: Pick<Journal, 'replay'>): Promise<number[]> {
  const numbers: number[] = []
  await journal.replay(POSITION_ZERO, (payload) => {
    numbers.push(new DataView(payload.buffer, payload.byteOffset).getUint32(0))
  })
  return numbers
}

/** Appends numbers from `first` on until one is refused, `width` at a time; calls `between` after each. */
class Load {
  readonly syncedNumbers: number[] = []
  readonly writtenNumbers: number[] = []
  error: unknown
  stopped = false
  readonly ended: Promise<void>

  constructor(
    journal: Journal,
    first: number,
    width: number,
    syncedOnceIn: number,
    seed: number,
    between: (index: number) => void = () => {},
  ) {
    const rungs = new SeededRandom(seed)
    let next = first
    const appender = async (): Promise<void> => {
      while (this.error === undefined && !this.stopped) {
        const index = next++
        const append: Append = journal.append(numbered(index), rungs.once(syncedOnceIn) ? 'synced' : 'written')
        append.written.then(
          () => void this.writtenNumbers.push(index),
          () => {},
        )
        try {
          await append.written
          between(index - first)
          await append.synced
          if (append.synced !== undefined) this.syncedNumbers.push(index)
        } catch (error) {
          this.error ??= error
        }
      }
    }
    this.ended = Promise.all(Array.from({ length: width }, appender)).then(() => undefined)
  }
}

test(
  'a server that is killed while appends are under way loses none that was synced, and tells of the others',
  place.skip,
  async (context) => {
    const schema = place.schema()
    const database = place.database(schema)
    const system = await connect(database)
    const keeper = new MemoryStateKeeper()
    const synced = new Set<number>()
    let [found, lost, resolved]: [number[], number, number] = [[], 0, 0]
    const crashes = new SeededRandom(11)
    for (let round = 1; round <= 5; round++) {
      const journal = await system.open(SHARD, epoch(round), keeper)
      const there = await numbersOf(journal)
      for (const index of synced) assert.ok(there.includes(index), `round ${round} lost ${index}, which was synced`)
      assert.ok(
        there.every((index, at) => index === at),
        `round ${round}: what is there is what was appended, in order`,
      )
      found = there
      const crashAt = 50 + crashes.below(200)
      let crashed: Promise<void> | undefined
      const load = new Load(journal, found.length, 8, 40, round, (done) => {
        if (done < crashAt || crashed !== undefined) return
        crashed = place.running.crash().then(() => place.running.restart())
      })
      await waitFor(() => crashed !== undefined || load.error !== undefined)
      await crashed
      // Where the server was killed just after it had synced, nothing was lost, and appends go on.
      await waitFor(() => load.error !== undefined || load.writtenNumbers.length > 2 * crashAt)
      load.stopped = true
      await load.ended
      const { error } = load
      assert.ok(error === undefined || isCode(error, 'OUTCOME_UNKNOWN'), `round ${round} ended with ${String(error)}`)
      for (const index of load.syncedNumbers) synced.add(index)
      await journal.close()
      const reader = await system.openReadOnly(SHARD, keeper.state)
      const left = new Set(await numbersOf(reader))
      lost += load.writtenNumbers.filter((index) => !left.has(index)).length
      resolved += load.syncedNumbers.length
    }
    context.diagnostic(`${found.length} batches, ${resolved} synced, ${lost} that were only written and lost`)
    assert.ok(lost > 0, 'nothing was lost that may be: the server was not killed in earnest')
    await place.closeDatabases()
  },
)

test('appends whose connections are cut are made once, in order', place.skip, async (context) => {
  const schema = place.schema()
  const database = place.database(schema)
  const journal = await (await connect(database)).open(SHARD, epoch(1), new MemoryStateKeeper())
  const surgeon = place.database(schema)
  let cuts = 0
  const written: Promise<void>[] = []
  for (let index = 0; index < 600; index++) {
    written.push(journal.append(numbered(index), index % 3 === 0 ? 'synced' : 'written').written)
    if (index % 10 === 0) await written.at(-1)
    if (index % 40 !== 20) continue
    const text = `SELECT count(pg_terminate_backend(pid)) AS value FROM pg_stat_activity
      WHERE application_name = 'varve' AND pid <> pg_backend_pid()`
    cuts += Number(await query(surgeon, text))
  }
  await Promise.all(written)
  await journal.sync()
  assert.deepEqual(
    await numbersOf(journal),
    Array.from({ length: 600 }, (_, index) => index),
  )
  context.diagnostic(`${cuts} connections were cut`)
  assert.ok(cuts > 5)
  await journal.close()
  await place.closeDatabases()
})

test(
  'who opens with a higher epoch under load has everything that was acknowledged, and the former owner nothing more',
  place.skip,
  async () => {
    const schema = place.schema()
    const systems = await Promise.all([place.database(schema), place.database(schema)].map(connect))
    const keeper = new MemoryStateKeeper()
    let found: number[] = []
    let journal: Journal = (await systems[0]?.open(SHARD, epoch(1), keeper)) as Journal
    for (let round = 2; round <= 8; round++) {
      const load = new Load(journal, found.length, 16, 3, round)
      await waitFor(() => load.syncedNumbers.length > 10)
      const owner = (await systems[round % 2]?.open(SHARD, epoch(round), keeper)) as Journal
      const there = new Set(await numbersOf(owner))
      await load.ended
      assert.ok(isCode(load.error, 'FENCED'), String(load.error))
      for (const index of load.writtenNumbers)
        assert.ok(there.has(index), `${index} was acknowledged, and is not there`)
      await assert.rejects(journal.barrier(), { code: 'FENCED' })
      found = await numbersOf(owner)
      assert.deepEqual(found, [...there], 'nothing of the former owner has come since')
      await journal.close()
      journal = owner
    }
    await journal.close()
    await place.closeDatabases()
  },
)

test('what is written is not on disk yet, and what is synced is, with all before it', place.skip, async () => {
  const schema = place.schema()
  const database = place.database(schema)
  const journal = await (await connect(database)).open(SHARD, epoch(1), new MemoryStateKeeper())
  let [waited, late] = [0, 0]
  for (let index = 0; index < 10; index++) {
    await journal.append(numbered(index), 'written').written
    if ((await bytesNotSynced(database)) > 0) waited++
    await (index % 2 === 0 ? journal.sync() : journal.append(numbered(index), 'synced').synced)
    if ((await bytesNotSynced(database)) > 0) late++
  }
  // The server may sync its log, and append to it, for reasons of its own.
  assert.ok(waited > 5, `only ${waited} of 10 commits were not on disk at once`)
  assert.ok(late <= 1, `${late} of 10 commits were not on disk although they were synced`)
  await journal.close()
  await place.closeDatabases()
})

test(
  'a server without fsync offers no synced, opens nothing that was promised it, and keeps no heads',
  place.skip,
  async () => {
    const schema = place.schema()
    const database = place.database(schema)
    const honest = await connect(database)
    const set = async (name: string, value: string): Promise<void> => {
      await query(database, `ALTER SYSTEM SET ${name} = ${value}`)
      await query(database, 'SELECT pg_reload_conf() AS value')
      const shown = async (): Promise<boolean> =>
        (await query(database, `SELECT current_setting('${name}') AS value`)) === value
      while (!(await shown())) await database.clock.turn()
    }
    for (const name of ['fsync', 'full_page_writes']) {
      await set(name, 'off')
      const poor = await connect(database)
      assert.deepEqual(poor.supports.durability, ['written'])
      const journal = await poor.open(shardId(`poor${name.length}`), epoch(1), new MemoryStateKeeper())
      assert.throws(() => journal.append(numbered(1), 'synced'), { code: 'UNSUPPORTED' })
      await journal.append(numbered(1), 'written').written
      await assert.rejects(honest.open(SHARD, epoch(1), new MemoryStateKeeper()), { code: 'UNSUPPORTED' })
      await assert.rejects(PostgresHeadStore.open({ database, hash, random }), { code: 'UNSUPPORTED' })
      await set(name, 'on')
    }
    await (await honest.open(SHARD, epoch(1), new MemoryStateKeeper())).close()
    await place.closeDatabases()
  },
)

test('tables that are missing and not to be made, or of another version, are INCOMPATIBLE', place.skip, async () => {
  const schema = place.schema()
  await assert.rejects(connect(place.database(schema, { create: false })), { code: 'INCOMPATIBLE' })
  const database = place.database(schema)
  await Promise.all([connect(database), connect(database), connect(place.database(schema))])
  await connect(place.database(schema, { create: false }))
  await query(database, `UPDATE ${database.table('format')} SET version = 2 WHERE part = 'journal'`)
  await assert.rejects(connect(database), { code: 'INCOMPATIBLE' })
  await place.closeDatabases()
})

/** What the server's log has in memory only. */
async function bytesNotSynced(database: PostgresDatabase): Promise<number> {
  // Where the last record ends with its page, the next one's place is told behind the header of a page that has not begun.
  const header = `CASE WHEN inserted % 8192 IN (24, 40) THEN inserted % 8192 ELSE 0 END`
  const positions = `SELECT pg_current_wal_insert_lsn() - '0/0' AS inserted, pg_current_wal_flush_lsn() - '0/0' AS synced`
  return Number(await query(database, `SELECT inserted - ${header} - synced AS value FROM (${positions}) AS log`))
}

async function waitFor(condition: () => boolean): Promise<void> {
  // Not in a loop of turns: server and client share two cores.
  while (!condition()) await new Promise<void>((resolve) => clock.after(5, resolve, { keepAlive: true }))
}
