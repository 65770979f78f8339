/** A local journal of which nothing is needed any more: an empty segment takes the place of the last one. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epoch, journalPosition } from '../../src/kernel/ids.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { JournalOnDisk, SHARD, texts, writeAll } from './journal-on-disk.ts'

const BATCHES = texts(20, 'a')
const END = BATCHES.join('').length

async function filled(before: (operation: DeviceOperation) => void = () => undefined) {
  const place = new JournalOnDisk()
  place.device = new SimulatedDevice({ before })
  const journal = await place.open(1)
  await writeAll(journal, BATCHES, 'written')
  await journal.sync()
  return { place, journal }
}

/** What the next owner gets, who needs nothing before `END`, and writes one batch more. */
async function takeOver(place: JournalOnDisk, at: number): Promise<string[]> {
  const journal = await place.system.open(SHARD, epoch(at), place.keeper, journalPosition(END))
  const found: string[] = []
  await journal.replay(journalPosition(END), (payload) => void found.push(Buffer.from(payload).toString()))
  assert.equal(journal.end, END + found.join('').length)
  await journal.append(Buffer.from(`after ${at}`), 'synced').synced
  return found
}

// One segment of up to 64 MiB stayed for ever behind the last flush, on a disk that may be full.
test('a journal that is truncated to its end takes the space of one header, and goes on there', async () => {
  const { place, journal } = await filled()
  await journal.truncate(journal.end)
  assert.equal(place.segments().length, 1)
  assert.ok(journal.storedBytes < 100, `${journal.storedBytes} B are left`)
  await journal.append(Buffer.from('next'), 'synced').synced
  await journal.close()
  assert.deepEqual(await takeOver(place, 2), ['next'])
})

test('it is not renewed while appends are under way, nor where it is small', async () => {
  const { place, journal } = await filled()
  const [before] = place.segments().slice(-1)
  const append = journal.append(Buffer.from('later'), 'written')
  await journal.truncate(journalPosition(END))
  await append.written
  assert.deepEqual(place.segments(), [before])
  assert.deepEqual(await place.read(END), ['later'])
  await journal.close()

  const small = new JournalOnDisk()
  const other = await small.open(1)
  await writeAll(other, ['a'], 'synced')
  await other.truncate(other.end)
  assert.match(small.segments()[0] ?? '', /-00000001\.log$/)
  await other.close()
})

test('appends and a close that come while it is renewed wait for it, and are found', async () => {
  const { place, journal } = await filled()
  const truncated = journal.truncate(journal.end)
  const append = journal.append(Buffer.from('meanwhile'), 'synced')
  await append.synced
  await truncated
  const again = journal.truncate(journal.end)
  await journal.close()
  await again.catch(() => undefined)
  const found = await takeOver(place, 2)
  assert.ok(found.length === 0 || found[0] === 'meanwhile')
})

test('a power cut or a failure at any step of it loses nothing and makes up nothing', async () => {
  for (const kind of ['power cut', 'IO_FAILED', 'NO_SPACE'] as const) {
    for (let run = 0; run < 72; run++) {
      const [stop, seed] = [Math.floor(run / 6), run % 6]
      let left = Infinity
      const { place, journal } = await filled(({ operation, path }) => {
        if (operation !== 'stat' && left-- <= 0)
          throw failure(kind === 'power cut' ? 'IO_FAILED' : kind, operation, path)
      })
      left = stop
      await journal.truncate(journal.end).catch(() => undefined)
      left = Infinity
      const expected: string[] = []
      if (kind !== 'power cut') {
        // Where a sync failed, the writer has ended.
        const append = journal.append(Buffer.from('next'), 'synced')
        await (append.synced ?? Promise.resolve()).then(
          () => expected.push('next'),
          () => undefined,
        )
      }
      const policy = { data: seed % 2 === 0 ? 'some' : 'none', names: seed % 3 === 0 ? 'some' : 'none' } as const
      place.device = place.device.crash(policy, seed, {})
      const found = await takeOver(place, 2)
      assert.deepEqual(found.slice(0, expected.length), expected, `${kind} at ${stop}, seed ${seed}`)
    }
  }
})

// Found by seeds of the whole system: the segment before went although the new one was not stored, and no end was left.
test('a sync that fails while it is renewed leaves the segment before it', async () => {
  for (const kept of ['none', 'some', 'all'] as const) {
    let failing = false
    const { place, journal } = await filled(({ operation, path }) => {
      if (!failing || operation !== 'sync') return
      failing = false
      throw failure('IO_FAILED', operation, path)
    })
    failing = true
    await assert.rejects(journal.truncate(journal.end), { code: 'OUTCOME_UNKNOWN' })
    place.device = place.device.crash({ data: kept, names: 'all' }, 1, {})
    assert.deepEqual(await takeOver(place, 2), [])
  }
})
