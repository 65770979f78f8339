/**
 * The child of the power-cut tests: as `writer.ts`, on a disk that forgets what was not synced when this process is
 * killed. Only batches that were to be synced are acknowledged: the others may be lost, though never out of order.
 */

import { pid } from 'node:process'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { powerCutDevice } from '../../src/testing/power-cut-device.ts'
import { openOn } from '../corruption/composition.ts'
import { batchOf } from './batches.ts'
import { sayNow } from '../say-now.ts'

const [directory, first] = process.argv.slice(2)
if (directory === undefined || first === undefined) throw new Error('usage: power-cut-writer DIRECTORY FIRST')

const db = await openOn(await powerCutDevice(new NodeDevice(directory)), pid)
sayNow('open')
for (let number = Number(first); ; number += 4) {
  const waiting = [0, 1, 2, 3].map(async (step) => {
    const synced = (number + step) % 3 === 0
    await db.batch(batchOf(number + step), { durability: synced ? 'synced' : 'written' })
    if (synced) sayNow(`ack ${number + step}`)
  })
  await Promise.all(waiting)
}
