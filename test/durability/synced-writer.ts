/**
 * The traced child of the durability tests: synced puts, alone and many at a time, with flushes and new segments between.
 * Says on standard output, in a system call of its own, which are acknowledged.
 */

import { open } from '../../src/local.ts'
import { markerOf } from './markers.ts'
import { sayNow } from '../say-now.ts'

const [directory, count] = process.argv.slice(2)
if (directory === undefined || count === undefined) throw new Error('usage: synced-writer DIRECTORY COUNT')

const db = await open(directory, { jobs: 'inline' })
for (let number = 0; number < Number(count); number += 5) {
  const group = number % 2 === 0 ? [number] : []
  for (let next = number + group.length; next < number + 5; next++) group.push(next)
  await Promise.all(group.map(put))
  if (number % 100 === 50) await db.flush()
}
await db.close()

async function put(number: number): Promise<void> {
  const marker = markerOf(number)
  await db.put(Buffer.from(marker), Buffer.from(marker), { durability: 'synced' })
  sayNow(`ack ${marker}`)
}
