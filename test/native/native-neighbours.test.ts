/** Blocks that the addon's thread decodes beside those that gets miss, while tables come and go and the database closes. */

import assert from 'node:assert/strict'
import { open } from '../../src/local.ts'
import { KIB, MIB } from '../../src/kernel/limits.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { place, testWithAddon } from './addon-test.ts'

const KEYS = 20_000
const ROUNDS = 6
const GETS = 4000
const settings = { blockBytes: 1 * KIB, memtableBytes: 1 * MIB, cacheBytes: 8 * MIB }

const keyOf = (number: number): Buffer => Buffer.from(`key ${String(number).padStart(6, '0')}`)
const valueOf = (number: number, version: number): Buffer => Buffer.from(`${version} of ${number} `.padEnd(80, '.'))

testWithAddon(
  'gets are right while neighbours are decoded, tables are compacted away, and the database closes in the midst',
  {},
  async (context) => {
    const { directory } = await place(context)
    const random = new SeededRandom(3)
    const versions = new Uint32Array(KEYS)
    const misses: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const db = await open(directory, { settings })
      for (let number = round; number < KEYS; number += round === 0 ? 1 : 7) {
        versions[number] = round
        const written = db.put(keyOf(number), valueOf(number, round))
        if (number % 64 < 7) await written
      }
      await db.flush()
      // Closing in the midst cancels it.
      const inTheMidst = round % 3 === 1
      const compacted = db.compactRange().catch((error: unknown) => assert.ok(inTheMidst, String(error)))
      for (let count = 0; count < GETS; count++) {
        const number = random.u32() % KEYS
        // Some without a turn of the event loop between them.
        const value = count % 512 < 500 ? db.getSync(keyOf(number)) : await db.get(keyOf(number))
        assert.equal(String(value), String(valueOf(number, versions[number] as number)))
      }
      misses.push(db.statistics().cache.misses)
      if (!inTheMidst) await compacted
      await db.close()
      await compacted
    }
    // A table has some two thousand blocks: without neighbours nearly all of them were missed.
    assert.ok(Math.min(...misses) < 1200, `missed ${misses.join(', ')} times`)
  },
)
