import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { POSITION_ZERO, epoch, journalPosition, shardId } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import { testJournal } from '../testing/journal-conformance.ts'
import { MemoryStateKeeper } from '../testing/memory-state-keeper.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { DeviceOperation } from '../testing/device-operation.ts'
import { failure } from '../testing/simulated-failure.ts'
import { Deferred } from './deferred.ts'
import type { Journal } from './journal.ts'
import { LocalJournalSystem } from './local-journal-system.ts'
import { SharedJournalSystem } from './shared-journal-system.ts'

const hash = await loadHash()
// Without zeros written ahead, so that every write that is counted is one of batches.
const SETTINGS = { segmentBytes: 8192, preallocateBytes: 0 }
const RECLAIM = { reclaimBytes: 16_384 }
/** What is appended next begins another segment. */
const SEGMENT_FULL = new Uint8Array(9000)

/** A shared log that can be closed, killed and opened again. */
class Place {
  device: SimulatedDevice
  readonly #keeper = new MemoryStateKeeper()
  #epoch = 0
  system!: SharedJournalSystem
  /** What replays of the log below wait for. */
  beforeReplay?: () => Promise<void>

  constructor(before?: (operation: DeviceOperation) => void) {
    this.device = new SimulatedDevice(before === undefined ? {} : { before })
  }

  async open(): Promise<this> {
    const { device } = this
    const random = new SeededRandom(1)
    const local = new LocalJournalSystem({ device, directory: 'journal', hash, random, settings: SETTINGS })
    const physical = await local.open(shardId('shared'), epoch(++this.#epoch), this.#keeper)
    const replay = physical.replay.bind(physical)
    physical.replay = async (from, visit) => {
      await this.beforeReplay?.()
      return replay(from, visit)
    }
    this.system = await SharedJournalSystem.open(physical, RECLAIM)
    return this
  }

  get segments(): readonly string[] {
    return this.device.files().filter((path) => path.endsWith('.log'))
  }

  async reopen(): Promise<void> {
    await this.system.close()
    await this.open()
  }

  async shard(name: string, at: number, needed = POSITION_ZERO): Promise<Journal> {
    return this.system.open(shardId(name), epoch(at), new MemoryStateKeeper(), needed)
  }
}

testJournal({
  test,
  name: 'a shared journal',
  open: async () => {
    const place = await new Place().open()
    return { system: () => place.system, dispose: () => place.system.close() }
  },
})

async function valuesOf(journal: Journal, from = 0): Promise<number[]> {
  const found: number[] = []
  await journal.replay(journalPosition(from), (payload) => void found.push(payload[0] as number))
  return found
}

test('what many shards append in a turn is one write and one sync', async () => {
  const seen: DeviceOperation[] = []
  const place = await new Place((operation) => void seen.push(operation)).open()
  const shards = await Promise.all(Array.from({ length: 20 }, (_, index) => place.shard(`shard-${index}`, 1)))
  const appendToAll = (value: number): Promise<unknown> =>
    Promise.all(shards.map(async (journal) => journal.append(Uint8Array.of(value), 'synced').synced))
  await appendToAll(1)
  seen.length = 0
  await appendToAll(2)
  const count = (name: string): number =>
    seen.filter(({ operation, path }) => operation === name && path.endsWith('.log')).length
  assert.deepEqual([count('write'), count('sync')], [1, 1])
  await place.system.close()
})

test('over restarts and power cuts every shard finds what it was told is synced, and its fence', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = new SeededRandom(seed)
    const place = await new Place().open()
    const synced = new Map<ShardId, number>()
    const epochs = new Map<ShardId, number>()
    const starts = new Map<ShardId, number>()
    for (let life = 0; life < 6; life++) {
      for (const name of ['a', 'b', 'c']) {
        const shard = shardId(name)
        const owner = (epochs.get(shard) ?? 0) + 1
        await assert.rejects(async () =>
          owner > 1 ? place.shard(name, owner - 2) : Promise.reject(failure('FENCED', 'open', 'x')),
        )
        epochs.set(shard, owner)
        const start = starts.get(shard) ?? 0
        const journal = await place.shard(name, owner, journalPosition(start))
        const found = await valuesOf(journal, start)
        assert.ok(found.length >= (synced.get(shard) ?? 0) - start, `shard ${name} has lost something`)
        assert.deepEqual(
          found,
          Array.from(found, (_, index) => (start + index) & 255),
          'in order, without gaps',
        )
        for (let left = random.below(60); left > 0; left--)
          await journal.append(Uint8Array.of(journal.end & 255), 'written').written
        if (random.once(2)) {
          await journal.sync()
          synced.set(shard, journal.end)
          if (random.once(2)) {
            starts.set(shard, Math.max(0, journal.end - random.below(5)))
            await journal.truncate(journalPosition(starts.get(shard) ?? 0))
          }
        }
      }
      if (random.once(2)) await place.system.close()
      else place.device = place.device.crash({ data: 'some', names: 'some' }, random.u32())
      await place.open()
    }
    await place.system.close()
  }
})

test('a quiet shard does not hold the space of the others, and loses nothing', async () => {
  const place = await new Place().open()
  const quiet = await place.shard('quiet', 1)
  for (const value of [1, 2, 3]) await quiet.append(Uint8Array.of(value), 'synced').synced
  const loud = await place.shard('loud', 1)
  for (let round = 0; round < 400; round++) {
    await loud.append(new Uint8Array(1000).fill(round), 'synced').synced
    if (round % 10 === 9) await loud.truncate(journalPosition(loud.end - 2000))
  }
  assert.ok(place.segments.length <= 8, `${place.segments.length} segments of 8 KiB are left of 50`)
  assert.deepEqual(await valuesOf(quiet), [1, 2, 3])
  assert.deepEqual([...(await quiet.read(POSITION_ZERO, 1))], [1])
  await place.system.close()
  await place.open()
  const again = await place.shard('quiet', 2)
  assert.deepEqual(await valuesOf(again), [1, 2, 3])
  await assert.rejects(
    place.shard('loud', 0 + 1).then((journal) => journal.replay(POSITION_ZERO, () => undefined)),
    {
      code: 'JOURNAL_CORRUPT',
    },
  )
  await place.system.close()
})

// The newest quarter of the log is not copied: what a shard needs of the rest stands behind what it needs of that.
test('a shard whose older batches were copied behind a newer one finds all of them again', async () => {
  const place = await new Place().open()
  const [quiet, loud] = [await place.shard('quiet', 1), await place.shard('loud', 1)]
  for (const value of [1, 2]) await quiet.append(Uint8Array.of(value), 'synced').synced
  for (let segment = 0; segment < 2; segment++) await loud.append(SEGMENT_FULL, 'synced').synced
  await quiet.append(Uint8Array.of(3), 'synced').synced
  await loud.truncate(journalPosition(loud.end))
  await place.reopen()
  assert.deepEqual(await valuesOf(await place.shard('quiet', 2)), [1, 2, 3])
  await place.system.close()
})

// Segments go before the first record that is needed: what is left of one may begin with a state that another has replaced.
test('a state of a shard that is older than what was copied behind it keeps no shard from its batches', async () => {
  const place = await new Place().open()
  const [main, other] = [await place.shard('main', 1), await place.shard('other', 1)]
  for (let segment = 0; segment < 4; segment++) await main.append(SEGMENT_FULL, 'synced').synced
  await main.append(Uint8Array.of(7), 'synced').synced
  await other.append(SEGMENT_FULL, 'synced').synced
  await main.truncate(journalPosition(2 * SEGMENT_FULL.length)) // The state of all of them begins the next segment.
  await other.truncate(journalPosition(other.end))
  const needed = journalPosition(4 * SEGMENT_FULL.length)
  await main.truncate(needed) // What is left is copied behind that state, and what was before the state goes.
  await place.reopen()
  assert.deepEqual(await valuesOf(await place.shard('main', 2, needed), needed), [7])
  assert.deepEqual(await valuesOf(await place.shard('other', 2), SEGMENT_FULL.length), [])
  await place.system.close()
})

test('a shard that is read while others give space back finds all of its batches, and the space goes after that', async () => {
  const place = await new Place().open()
  const [quiet, loud] = [await place.shard('quiet', 1), await place.shard('loud', 1)]
  await quiet.append(Uint8Array.of(1), 'synced').synced
  for (let segment = 0; segment < 3; segment++) await loud.append(SEGMENT_FULL, 'synced').synced
  const held = new Deferred()
  place.beforeReplay = () => held.promise
  const found = valuesOf(quiet)
  let truncated = false
  const truncating = loud.truncate(journalPosition(loud.end)).then(() => (truncated = true))
  // More than enough for it to move what is needed and to remove the rest.
  for (let turn = 0; turn < 100 && !truncated; turn++) await new Promise(setImmediate)
  held.resolve()
  assert.deepEqual(await found, [1])
  await truncating
  assert.ok(place.segments.length <= 2, `not given back: ${place.segments.join()}`)
  await place.system.close()
})

test('on a full disk every shard takes back what did not fit, and goes on from there', async () => {
  let full = false
  const place = await new Place(({ operation, path }) => {
    if (full && operation === 'write' && path.endsWith('.log')) throw failure('NO_SPACE', operation, path)
  }).open()
  const [one, two] = [await place.shard('one', 1), await place.shard('two', 1)]
  for (const journal of [one, two]) await journal.append(Uint8Array.of(1), 'synced').synced
  full = true
  const refused = [one, two, one].map((journal) => journal.append(Uint8Array.of(2), 'written').written)
  for (const written of refused) await assert.rejects(written, { code: 'NO_SPACE' })
  full = false
  assert.deepEqual([one.end, two.end], [1, 1])
  for (const journal of [two, one]) await journal.append(Uint8Array.of(3), 'synced').synced
  assert.deepEqual(
    [await valuesOf(one), await valuesOf(two)],
    [
      [1, 3],
      [1, 3],
    ],
  )
  await place.system.close()
})

// Of a shard with nothing in the log they alone say that it was there: it could not be opened any more.
test('segments stay where the states of the shards do not fit', async () => {
  let full = false
  const place = await new Place(({ operation, path }) => {
    if (full && operation === 'write' && path.endsWith('.log')) throw failure('NO_SPACE', operation, path)
  }).open()
  const quiet = await place.shard('quiet', 3)
  await quiet.append(Uint8Array.of(1, 2), 'synced').synced
  await quiet.truncate(quiet.end)
  const loud = await place.shard('loud', 1)
  for (let segment = 0; segment < 4; segment++) await loud.append(SEGMENT_FULL, 'synced').synced
  full = true
  await assert.rejects(loud.truncate(loud.end), { code: 'NO_SPACE' })
  full = false
  await place.reopen()
  assert.equal((await place.shard('quiet', 4, journalPosition(2))).end, 2)
  await assert.rejects(place.shard('quiet', 3), { code: 'FENCED' })
  await place.system.close()
})

// Its client had taken it back, too, and was told that nobody knows.
test('what a former owner had under way on a full disk is taken back from its end, and it is fenced', async () => {
  let full = false
  const place = await new Place(({ operation, path }) => {
    if (full && operation === 'write' && path.endsWith('.log')) throw failure('NO_SPACE', operation, path)
  }).open()
  const former = await place.shard('main', 1)
  await former.append(Uint8Array.of(1), 'synced').synced
  full = true
  const { written } = former.append(Uint8Array.of(2), 'written')
  const opening = place.shard('main', 2)
  await assert.rejects(written, { code: 'NO_SPACE' })
  await assert.rejects(opening, { code: 'NO_SPACE' })
  assert.equal(former.end, 1)
  await assert.rejects(former.append(Uint8Array.of(3), 'written').written, { code: 'FENCED' })
  full = false
  const next = await place.shard('main', 3)
  await next.append(Uint8Array.of(4, 5), 'synced').synced
  assert.deepEqual(await valuesOf(next), [1, 4])
  assert.equal(former.end, 1)
  await assert.rejects(former.append(Uint8Array.of(3, 3), 'written').written, { code: 'FENCED' })
  await place.system.close()
})

test('the end of a former owner stays where it was, whatever the next one appends', async () => {
  const place = await new Place().open()
  const former = await place.shard('main', 1)
  const { end, written } = former.append(Uint8Array.of(1), 'written')
  const next = await place.shard('main', 2)
  await written
  await next.append(Uint8Array.of(2), 'written').written
  assert.equal(former.end, end)
  assert.equal(next.end, end + 1)
  await place.system.close()
})
