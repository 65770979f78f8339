/** Makes, changes, compacts and reopens a database; prints how many entries it has in the end. */

import { open } from '../../src/local.ts'

const [, , directory = ''] = process.argv
for (let life = 0; life < 2; life++) {
  const db = await open(directory, { jobs: 'inline' })
  for (let index = 0; index < 100; index++) await db.put(Buffer.from(`key ${life} ${index}`), Buffer.alloc(100, index))
  await db.compactRange()
  await db.put(Buffer.from('last'), Buffer.from('synced'), { durability: 'synced' })
  let count = 0
  for await (const { key } of db.scan()) count += key.length > 0 ? 1 : 0
  if (life === 1) process.stdout.write(String(count))
  await db.close()
}
