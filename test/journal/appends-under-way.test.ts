/** Reading a local journal while what was appended to it is still on its way to the device. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { POSITION_ZERO } from '../../src/kernel/ids.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { JournalOnDisk } from './journal-on-disk.ts'

const [FIRST, SECOND] = [Buffer.from('first'), Buffer.from('second')]

for (const [name, options] of [
  ['with synchronous calls', {}],
  ['without synchronous calls', { syncRead: false, syncWrite: false }],
] as const) {
  test(`what was appended before is read and replayed, though nothing is written yet: ${name}`, async () => {
    const place = new JournalOnDisk()
    place.device = new SimulatedDevice(options)
    const journal = await place.open(1)
    const start = await journal.replay(POSITION_ZERO, () => assert.fail('there is nothing'))
    const first = journal.append(FIRST, 'written')
    assert.equal(String(Buffer.from(await journal.read(start, FIRST.length))), 'first')
    const second = journal.append(SECOND, 'written')
    const found: string[] = []
    const end = await journal.replay(POSITION_ZERO, (payload) => void found.push(String(Buffer.from(payload))))
    assert.deepEqual([found, end], [['first', 'second'], journal.end])
    await Promise.all([first.written, second.written])
    await journal.close()
  })
}
