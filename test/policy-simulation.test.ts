/**
 * The simulator against the engine: the same writes, flushed at the same moments, under each policy.
 *
 * The simulator knows no blocks, indexes and filters, and ends tables at an entry where the engine ends them behind a
 * batch of entries, which shows where tables are as small as here. What either writes and stores may differ by TOLERANCE.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KV_DEFAULTS, KV_POLICIES } from '../src/engines/kv/settings.ts'
import type { KvPolicy } from '../src/engines/kv/settings.ts'
import type { KvOperation } from '../src/engines/kv/kv.ts'
import { fillMemtables, SIMULATED_POLICIES } from '../tools/simulate-policy/simulation.ts'
import { SimulatedShard } from '../tools/simulate-policy/simulated-shard.ts'
import { keyCode } from '../tools/simulate-policy/sorted-keys.ts'
import { makeWorkload } from '../tools/simulate-policy/workload.ts'
import type { Distribution } from '../tools/simulate-policy/workload.ts'
import { Simulation } from './simulation.ts'

const TOLERANCE = 0.15

const ENTRIES = 800
const MEMTABLES = 48
const VALUE = new Uint8Array(24)
const SETTINGS = Object.freeze({
  memtableBytes: 64 * 1024 * 1024,
  blockBytes: 512,
  compression: 'none',
  cacheBytes: 64 * 1024,
  tableBytes: 26_000,
  levelBytesBase: 130_000,
  levelSizeRatio: 4,
  fifoBytesMax: 600_000,
  compactionsMax: 2,
} as const)

interface Outcome {
  /** Bytes of tables written for each byte flushed. */
  readonly writeAmplification: number
  /** Means over the course of the workload. */
  readonly storedBytes: number
  readonly runs: number
}

interface Measured extends Outcome {
  /** What a put and a deletion take in a flushed table. */
  readonly entryBytes: number
  readonly deletionBytes: number
}

for (const distribution of ['uniform', 'series'] as const) {
  for (const policy of KV_POLICIES) {
    test(`${policy}, ${distribution}: the simulator writes and stores about as much as the engine does`, async (t) => {
      const codes = workload(policy, distribution)
      const measured = await measure(policy, codes)
      const simulated = simulateInline(policy, codes, measured)
      for (const what of ['writeAmplification', 'storedBytes', 'runs'] as const) {
        const both = `${what}: measured ${measured[what].toFixed(2)}, simulated ${simulated[what].toFixed(2)}`
        t.diagnostic(both)
        assert.ok(Math.abs(measured[what] - simulated[what]) <= TOLERANCE * measured[what], both)
      }
    })
  }
}

function workload(policy: KvPolicy, distribution: Distribution): Uint32Array {
  const writes = ENTRIES * MEMTABLES
  return makeWorkload({ distribution, keys: writes / 4, writes, seed: 7, deletes: policy !== 'fifo' })
}

async function measure(policy: KvPolicy, codes: Uint32Array): Promise<Measured> {
  const { entryBytes, deletionBytes } = await measureEntries()
  const simulation = await Simulation.start(1, { ...SETTINGS, policy })
  try {
    const { db } = simulation
    const moments: { readonly storedBytes: number; readonly runs: number }[] = []
    for (let start = 0; start < codes.length; start += ENTRIES) {
      await db.batch([...codes.subarray(start, start + ENTRIES)].map(toOperation))
      await db.flush()
      await db.settle()
      const { fileBytes, levels } = db.statistics()
      const runs = levels.reduce((sum, { level, files }) => sum + (level === 0 ? files : Math.min(1, files)), 0)
      moments.push({ storedBytes: fileBytes, runs })
    }
    const { flushedBytes, compactedBytes } = db.statistics()
    return {
      writeAmplification: (flushedBytes + compactedBytes) / flushedBytes,
      storedBytes: mean(moments.map(({ storedBytes }) => storedBytes)),
      runs: mean(moments.map(({ runs }) => runs)),
      entryBytes,
      deletionBytes,
    }
  } finally {
    await simulation.stop()
  }
}

async function measureEntries(): Promise<{ readonly entryBytes: number; readonly deletionBytes: number }> {
  const bytesEach = async (deleted: boolean): Promise<number> => {
    const simulation = await Simulation.start(1, { ...SETTINGS, policy: 'fifo' })
    const codes = Array.from({ length: ENTRIES }, (_, key) => keyCode(key, deleted))
    await simulation.db.batch(codes.map(toOperation))
    await simulation.db.flush()
    const { fileBytes } = simulation.db.statistics()
    await simulation.stop()
    return fileBytes / ENTRIES
  }
  return { entryBytes: await bytesEach(false), deletionBytes: await bytesEach(true) }
}

function simulateInline(
  policy: KvPolicy,
  codes: Uint32Array,
  { entryBytes, deletionBytes }: { readonly entryBytes: number; readonly deletionBytes: number },
): Outcome {
  const shard = new SimulatedShard(
    SIMULATED_POLICIES[policy],
    { ...KV_DEFAULTS, ...SETTINGS, policy },
    {
      entryBytes,
      deletionBytes,
      tableBytes: SETTINGS.tableBytes,
      compactionsMax: SETTINGS.compactionsMax,
      speed: 1,
      level0FilesStop: Infinity,
    },
  )
  const moments = fillMemtables(codes, ENTRIES).map(({ keys, writes }) => {
    shard.flush(keys, writes)
    shard.settle()
    return shard.totals
  })
  const { flushedBytes, compactedBytes } = shard.totals
  return {
    writeAmplification: (flushedBytes + compactedBytes) / flushedBytes,
    storedBytes: mean(moments.map(({ storedBytes }) => storedBytes)),
    runs: mean(moments.map(({ runs }) => runs)),
  }
}

function toOperation(code: number): KvOperation {
  const key = Buffer.from(String(code >>> 1).padStart(16, '0'))
  return (code & 1) === 0 ? { type: 'put', key, value: VALUE } : { type: 'delete', key }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
