/** The key-value engine as its conformance suite sees it. */

import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvSnapshot } from '../../src/engines/kv/kv.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import type { KvComponents } from '../../src/engines/kv/open-kv.ts'
import type { EngineSuite, EngineUnderTest } from '../../src/testing/engine-bench.ts'
import { TINY_SETTINGS } from '../simulation.ts'
import type { SimulationSettings } from '../simulation.ts'

const KEYS = 50

/** Operation `number`: every key is put several times; some are deleted three operations after they were put. */
const isDelete = (number: number): boolean => number % 17 === 16
const keyOf = (number: number): string =>
  `key-${String((isDelete(number) ? number - 3 : number) % KEYS).padStart(2, '0')}`

/** @param parts of its own, beside those of the suite */
export function kvSuite(
  settings: SimulationSettings = {},
  parts: Pick<KvComponents, 'memtable'> = {},
): Omit<EngineSuite, 'test' | 'name'> {
  return {
    handlers: { 'varve/kv/jobs': kvJobs },
    async open(components): Promise<EngineUnderTest> {
      const db = await openKv({ ...components, ...parts }, { settings: { ...TINY_SETTINGS, ...settings } })
      return {
        shard: db,
        write: (number, durability) =>
          isDelete(number)
            ? db.delete(Buffer.from(keyOf(number)), { durability })
            : db.put(Buffer.from(keyOf(number)), Buffer.from(`value ${number} ${'.'.repeat(60)}`), { durability }),
        content: () => contentOf(db),
        async snapshot() {
          const snapshot = db.snapshot()
          return { content: () => contentOf(db, snapshot), close: () => snapshot.close() }
        },
      }
    },
    expected(numbers) {
      const entries = new Map<string, string>()
      for (const number of numbers) {
        if (isDelete(number)) entries.delete(keyOf(number))
        else entries.set(keyOf(number), `value ${number} ${'.'.repeat(60)}`)
      }
      return [...entries]
        .map(([key, value]) => `${key}=${value}\n`)
        .sort()
        .join('')
    },
  }
}

async function contentOf(db: KvShard, snapshot?: KvSnapshot): Promise<string> {
  let content = ''
  for await (const { key, value } of db.scan(snapshot === undefined ? {} : { snapshot }))
    content += `${Buffer.from(key).toString()}=${Buffer.from(value).toString()}\n`
  return content
}
