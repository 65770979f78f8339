/**
 * The child of the kill tests: writes numbered batches and says on standard output which are acknowledged.
 *
 * Arguments: directory, number of the first batch. Every batch has two keys with the same value; every third one is
 * synced. Tiny memtables keep flushes, compactions and journal truncation going all the time.
 */

import { open } from '../../src/local.ts'
import { batchOf, SETTINGS } from './batches.ts'
import { sayNow } from '../say-now.ts'

const [directory, first] = process.argv.slice(2)
if (directory === undefined || first === undefined) throw new Error('usage: writer DIRECTORY FIRST')

const db = await open(directory, { settings: SETTINGS })
sayNow('open')
for (let number = Number(first); ; number += 4) {
  // Four at a time: acknowledged together, in order.
  const waiting = [0, 1, 2, 3].map(async (step) => {
    await db.batch(batchOf(number + step), { durability: (number + step) % 3 === 0 ? 'synced' : 'written' })
    sayNow(`ack ${number + step}`)
  })
  await Promise.all(waiting)
}
