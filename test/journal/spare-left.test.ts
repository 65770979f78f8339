/** The empty file that an owner created for its next segment, and could not remove. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { JournalOnDisk, texts, writeAll } from './journal-on-disk.ts'

// A segment holds 4 KiB: two and a half of them.
const BATCHES = texts(100, 'b')

async function written(before?: (operation: DeviceOperation) => void) {
  const place = new JournalOnDisk()
  if (before !== undefined) place.device = new SimulatedDevice({ before })
  const journal = await place.open(1)
  for (const batch of BATCHES) {
    await writeAll(journal, [batch], 'synced')
    if (spares(place).length > 0 && place.segments().length > 1) break
  }
  assert.equal(spares(place).length, 1, 'a file for the next segment is there')
  return { place, journal, end: journal.end }
}

function spares({ device }: JournalOnDisk): string[] {
  return device.files().filter((path) => path.endsWith('.log') && device.inode(path).length === 0)
}

test('of an owner that was killed it is not part of the log, and goes', async () => {
  const { place, end } = await written()
  place.device = place.device.kill()
  const next = await place.open(2)
  assert.equal(next.end, end)
  assert.deepEqual(spares(place), [])
  await next.close()
})

test('an owner that closes removes it', async () => {
  const { place, journal } = await written()
  await journal.close()
  assert.deepEqual(spares(place), [])
})

test('where it could not be removed, the word of where the log ends is believed all the same', async () => {
  const readsOf = async (stays: boolean): Promise<number> => {
    let reads = 0
    const { place, journal, end } = await written(({ operation, path }) => {
      if (operation === 'read' && path.endsWith('.log')) reads++
      if (stays && operation === 'unlink') throw failure('IO_FAILED', operation, path)
    })
    await journal.close()
    assert.equal(spares(place).length, stays ? 1 : 0)
    reads = 0
    stays = false
    const next = await place.open(2)
    assert.equal(next.end, end)
    assert.deepEqual(spares(place), [])
    const { length } = place.segments()
    await next.close()
    assert.ok(length > 1)
    return reads
  }
  assert.equal(await readsOf(true), await readsOf(false), 'nothing is scanned')
})
