/** Writes keys in random order, a hundred at a time: the same ones whatever takes them. */

import type { KvKeyOperation } from '../../src/engines/kv/kv.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'

const BATCH = 100

export async function loadKeys(
  count: number,
  write: (operations: readonly KvKeyOperation[]) => Promise<void>,
): Promise<void> {
  const random = new SeededRandom(1)
  const value = Buffer.alloc(100, 'value')
  for (let done = 0; done < count; done += BATCH) {
    const operations = Array.from({ length: BATCH }, (): KvKeyOperation => {
      const key = Buffer.alloc(16)
      for (let at = 0; at < 16; at += 4) key.writeUInt32BE(random.u32(), at)
      return { type: 'put', key, value }
    })
    await write(operations)
  }
}
