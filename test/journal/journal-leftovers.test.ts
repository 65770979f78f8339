/** What a failed write, or a power cut, has left or taken besides the log itself. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../src/kernel/errors.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { failure } from '../../src/testing/simulated-failure.ts'
import { JournalOnDisk, texts, writeAll } from './journal-on-disk.ts'

test('what a full device stored of a rejected append is never found', async () => {
  const place = new JournalOnDisk()
  let full = false
  place.device = new SimulatedDevice({
    failedWrites: 'some',
    before: ({ operation, path }) => {
      if (full && operation === 'write' && path.endsWith('.log')) throw failure('NO_SPACE', operation, path)
    },
  })
  const journal = await place.open(1)
  await journal.append(Buffer.from('kept'), 'synced').synced
  full = true
  // Each may have been stored whole, although the device said that it was not.
  for (let attempt = 0; attempt < 12; attempt++) {
    await assert.rejects(journal.append(Buffer.from(`rejected ${attempt}`), 'written').written, { code: 'NO_SPACE' })
  }
  full = false
  place.device = place.device.kill({})
  assert.deepEqual(await place.read(), ['kept'])
})

test('where a power cut took the witness of the syncs, later records still bear witness of earlier ones', async () => {
  const place = new JournalOnDisk()
  await writeAll(await place.open(1), texts(9, 'a'), 'synced')
  place.device = place.device.kill({})
  const witness = place.device.files().find((path) => path.includes('/synced.')) as string
  await place.device.unlink(witness)
  const segment = place.device.inode(place.segments()[0] as string)
  segment.flipBit(Buffer.from(segment.content()).indexOf('a 2 '), 1)
  const found = await place.read()
  assert.ok(found instanceof VarveError && found.code === 'JOURNAL_CORRUPT')
})
