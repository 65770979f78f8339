import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Journal, JournalSupport } from '../journal/journal.ts'
import { OfferedRungs } from './offered-rungs.ts'

/** How often a journal that offers `support` is synced by `secure` and by `secureReplaced`. */
async function syncs(support: JournalSupport): Promise<readonly [number, number]> {
  let count = 0
  const journal = { sync: async () => void count++ } as Partial<Journal> as Journal
  const rungs = new OfferedRungs(support)
  await rungs.secure(journal)
  const secured = count
  await rungs.secureReplaced(journal)
  return [secured, count - secured]
}

test('what files replace is synced first, but in a journal that opens where they end; what is to stay always is', async () => {
  const durability = ['written', 'synced'] as const
  assert.deepEqual(await syncs({ durability, read: true }), [1, 1])
  assert.deepEqual(await syncs({ durability, read: true, opensAtNeeded: false }), [1, 1])
  assert.deepEqual(await syncs({ durability, read: true, opensAtNeeded: true }), [1, 0])
})

test('a journal that offers no sync is not asked for one', async () => {
  assert.deepEqual(await syncs({ durability: ['written'], read: true }), [0, 0])
})
