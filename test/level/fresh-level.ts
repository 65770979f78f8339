/** Databases of `varve/level` in directories of their own, which go with the test. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { LevelOptions } from '../../src/engines/level/level.ts'
import { VarveLevel } from '../../src/engines/level/varve-level.ts'

/** @param before runs before the directory is removed: hooks run in the order in which they were given */
export function freshLocation(context: TestContext, before?: () => Promise<void>): string {
  const root = mkdtempSync(join(tmpdir(), 'varve-level-'))
  context.after(async () => {
    await before?.()
    rmSync(root, { recursive: true, force: true })
  })
  return join(root, 'db')
}

export async function opened<K = string, V = string>(
  context: TestContext,
  options?: LevelOptions<K, V>,
): Promise<VarveLevel<K, V>> {
  const db: VarveLevel<K, V> = new VarveLevel<K, V>(
    freshLocation(context, () => db.close()),
    options,
  )
  await db.open()
  return db
}

/** Keys '0000', '0001', … with their number as the value. */
export async function fill(db: VarveLevel, count: number): Promise<void> {
  await db.batch(
    Array.from({ length: count }, (_, index) => ({
      type: 'put' as const,
      key: String(index).padStart(4, '0'),
      value: String(index),
    })),
  )
}
