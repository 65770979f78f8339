/** Shards that take the place of others, and what must be there however that ends. */

import assert from 'node:assert/strict'
import { isCode } from '../../src/kernel/errors.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'

export const bytes = (text: string): Uint8Array => Buffer.from(text)
export const key = (index: number): string => `key-${String(index).padStart(3, '0')}`

export async function contentOf(db: KvShard): Promise<readonly string[]> {
  const found: string[] = []
  for await (const entry of db.scan()) found.push(`${textOf(entry.key)}=${textOf(entry.value)}`)
  return found
}

export function textOf(given: Uint8Array): string {
  return Buffer.from(given).toString()
}

export function tablesIn({ device }: Simulation): readonly string[] {
  return device.files().filter((name) => name.endsWith('.table'))
}

export async function fill(db: KvShard, value: string, from = 0, limit = 200): Promise<void> {
  for (let index = from; index < limit; index++) await db.put(bytes(key(index)), bytes(`${value} ${index}`))
}

export function filled(value: string, from = 0, limit = 200): readonly string[] {
  return Array.from({ length: limit - from }, (_, index) => `${key(from + index)}=${value} ${from + index}`)
}

/** One shard, and what is done to replace it by others; or two, and one. */
export interface Change {
  readonly before: readonly string[]
  readonly after: readonly string[]
  prepare(main: Simulation): Promise<readonly Simulation[]>
  run(parents: readonly Simulation[]): Promise<void>
}

export const SPLIT: Change = {
  before: ['main'],
  after: ['left', 'right'],
  prepare: async (main) => {
    await fill(main.db, 'value', 0, 60)
    await main.db.settle()
    await main.db.sync()
    return [main]
  },
  run: async ([main]) => (main as Simulation).db.split(bytes(key(30)), 'left', 'right'),
}

export const MERGE: Change = {
  before: ['a', 'b'],
  after: ['merged'],
  prepare: async (main) => {
    await fill(main.db, 'value', 0, 60)
    await main.db.split(bytes(key(30)), 'a', 'b')
    await main.stop().catch(() => undefined)
    const [a, b] = [await main.sibling('a'), await main.sibling('b')]
    await fill(a.db, 'value', 0, 5)
    await fill(b.db, 'value', 40, 45)
    await Promise.all([a.db.settle(), b.db.settle()])
    await Promise.all([a.db.sync(), b.db.sync()])
    return [a, b]
  },
  run: async ([a, b]) => (a as Simulation).db.merge((b as Simulation).db, bytes(key(30)), 'merged'),
}

/** Lets time pass until `work` has ended: what failed is tried again then. */
export async function ticking<T>(simulations: readonly Simulation[], work: Promise<T>): Promise<T> {
  let ended = false
  const ending = work.finally(() => (ended = true))
  ending.catch(() => undefined)
  while (!ended) {
    for (const { clock } of simulations) clock.advance(10)
    await (simulations[0] as Simulation).clock.turn()
  }
  return ending
}

/** Opens `names`; undefined: one of them is not there, or not any more. */
export async function opened(at: Simulation, names: readonly string[]): Promise<readonly Simulation[] | undefined> {
  const found: Simulation[] = []
  for (const name of names) {
    const simulation = new Simulation(1, TINY_SETTINGS, {}, name)
    simulation.device = at.device
    simulation.cleansUp = false
    try {
      await simulation.open({ createIfMissing: false })
      found.push(simulation)
    } catch (error) {
      if (!isCode(error, 'NOT_FOUND', 'SUPERSEDED')) throw error
      for (const each of found) await each.stop()
      return undefined
    }
  }
  return found
}

/** Exactly one arrangement is there, whole, and can be worked with. */
export async function checkArrangement(
  at: Simulation,
  { before, after }: Change,
  message: string,
): Promise<'before' | 'after'> {
  const [old, fresh] = [await opened(at, before), await opened(at, after)]
  assert.ok(
    (old === undefined) !== (fresh === undefined),
    `${message}: ${old ? 'both arrangements' : 'none'} can be opened`,
  )
  const there = old ?? fresh ?? []
  const found: string[] = []
  for (const { db } of there) found.push(...(await contentOf(db)))
  assert.deepEqual(found, filled('value', 0, 60), message)
  for (const { db } of there) {
    await db.detach()
    await db.compactRange()
  }
  for (const each of there) await each.reopen()
  const again: string[] = []
  for (const { db } of there) again.push(...(await contentOf(db)))
  assert.deepEqual(again, found, `${message}, after compaction`)
  for (const each of there) await each.stop()
  return old === undefined ? 'after' : 'before'
}
