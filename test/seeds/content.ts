/** What a shard of a simulated run holds: a few keys, with values that are written once. */

import type { KvSnapshot } from '../../src/engines/kv/kv.ts'
import type { Simulation } from '../simulation.ts'
import type { Call } from './recorded-calls.ts'

export const KEYS = 12

export function keyOf(number: number): string {
  return `key ${String(number).padStart(2, '0')}`
}

export function answersOf(calls: readonly Call[], content: ReadonlyMap<string, string>): readonly (string | null)[] {
  return calls.map(({ input }) => content.get(input.key) ?? null)
}

export async function contentOf({ db }: Simulation, snapshot?: KvSnapshot): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  const scan = db.scan(snapshot === undefined ? {} : { snapshot })
  try {
    for (;;) {
      const entries = await scan.next(16)
      if (entries.length === 0) return found
      for (const { key, value } of entries) found.set(Buffer.from(key).toString(), Buffer.from(value).toString())
    }
  } finally {
    scan.close()
  }
}
