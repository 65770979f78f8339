/** A process that has no descriptor left when the journal needs another segment. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../src/kernel/errors.ts'
import { POSITION_ZERO } from '../../src/kernel/ids.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { JournalOnDisk } from './journal-on-disk.ts'

const outOfFiles = (error: unknown): boolean => isCode(error, 'OUT_OF_FILES')

for (const syncWrite of [true, false]) {
  test(`an append that finds no descriptor for a new segment has left nothing, and the next goes on, ${syncWrite ? '' : 'a'}synchronously`, async () => {
    const journal = new JournalOnDisk()
    let none = false
    journal.device = new SimulatedDevice({
      syncWrite,
      before: ({ operation, path }) => {
        if (none && operation === 'open') throw failure('OUT_OF_FILES', operation, path)
      },
    })
    const writer = await journal.open(1)
    await writer.replay(POSITION_ZERO, () => undefined)
    const acknowledged: string[] = []
    const append = async (text: string): Promise<void> => {
      await writer.append(Buffer.from(text.padEnd(900, '.')), 'synced').synced
      acknowledged.push(text.padEnd(900, '.'))
    }
    for (let index = 0; index < 4; index++) await append(`before ${index}`)
    none = true
    // A segment holds four of them.
    const end = writer.end
    await assert.rejects(append('refused'), outOfFiles)
    await assert.rejects(append('refused again'), outOfFiles)
    assert.equal(writer.end, end, 'nothing of them is in the log')
    none = false
    for (let index = 0; index < 6; index++) await append(`after ${index}`)
    await writer.close()
    assert.deepEqual(await journal.read(), acknowledged)
  })
}

test('a shard that had no descriptor for a segment takes writes again without being opened, and has kept the others', async () => {
  let none = false
  const simulation = new Simulation(1, { ...TINY_SETTINGS, memtableBytes: 1 << 20 }, { record: false })
  simulation.journalSettings = { segmentBytes: 4096, preallocateBytes: 0 }
  simulation.device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (none && operation === 'open') throw failure('OUT_OF_FILES', operation, path)
    },
  })
  await simulation.open()
  const { db } = simulation
  const put = (key: string): Promise<void> =>
    db.put(Buffer.from(key), Buffer.alloc(1500, key), { durability: 'synced' })
  await put('a')
  await put('b')
  none = true
  await assert.rejects(put('c'), outOfFiles)
  await assert.rejects(put('d'), outOfFiles)
  assert.equal(await db.get(Buffer.from('c')), undefined)
  assert.deepEqual(Buffer.from((await db.get(Buffer.from('b'))) ?? []), Buffer.alloc(1500, 'b'))
  none = false
  await put('e')
  await simulation.stop()
  await simulation.open()
  const found: string[] = []
  for await (const { key } of simulation.db.scan({ values: false })) found.push(Buffer.from(key).toString())
  assert.deepEqual(found, ['a', 'b', 'e'])
  await simulation.stop()
})
