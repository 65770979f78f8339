/** Small worlds in which processes own a shard one after the other, or believe so. */

import type { ProtocolWorld, Work } from './protocol.ts'

type Deed = 'flush' | 'compact' | `put ${string}`

/** Opens where the schedule says so, and does the deeds. */
function opener(...deeds: readonly Deed[]): Work {
  return async (world, simulation, begin) => {
    await begin()
    await simulation.open()
    await doAll(deeds, world, simulation)
  }
}

/** Has the shard open already. */
function holder(...deeds: readonly Deed[]): Work {
  return async (world, simulation, begin) => {
    await simulation.open()
    await begin()
    await doAll(deeds, world, simulation)
  }
}

async function doAll(
  deeds: readonly Deed[],
  world: Parameters<Work>[0],
  simulation: Parameters<Work>[1],
): Promise<void> {
  for (const deed of deeds) {
    if (deed === 'flush') await simulation.db.flush()
    else if (deed === 'compact') await simulation.db.compactRange()
    else await world.put(simulation, deed.slice('put '.length))
  }
}

const WRITES = ['commit', 'raise fence', 'append', 'check fence'] as const

/** Few schedules: a moment. */
export const SMALL_WORLDS: Readonly<Record<string, ProtocolWorld>> = {
  'two open at once': { steps: ['commit', 'raise fence'], works: [opener('put a0'), opener('put b0')] },
  // Outputs of a compaction that is not committed yet are orphans to whoever takes over (SlateDB #1029).
  'the owner flushes and compacts while another one opens and collects what nobody refers to': {
    steps: ['commit', 'raise fence', 'scan log', 'remove table'],
    works: [holder('put a0', 'flush', 'put a1', 'flush', 'compact'), opener('put b0')],
  },
  'the owner writes while another one raises its fence': {
    steps: ['raise fence', 'append', 'check fence'],
    works: [holder('put a0'), opener()],
  },
}

/** Thousands of schedules. */
export const LARGE_WORLDS: Readonly<Record<string, ProtocolWorld>> = {
  'three open at once': { steps: ['commit'], works: [opener('put a0'), opener('put b0'), opener('put c0')] },
  'the owner writes while another one opens and writes': {
    steps: WRITES,
    works: [holder('put a0'), opener('put b0')],
  },
  'the owner writes twice while another one opens': {
    steps: WRITES,
    works: [holder('put a0', 'put a1'), opener('put b0')],
  },
  // SlateDB #352, #1622: the new owner flushes and truncates what would have told the old one.
  'the owner sleeps in a write while another one opens, writes, flushes and truncates': {
    steps: ['commit', 'append', 'check fence'],
    works: [holder('put a0'), opener('put b0', 'flush')],
  },
  // SlateDB #1682: who opens has chosen where to fence when the owner writes, flushes and truncates beyond it.
  'who opens sleeps before its fence while the owner writes, flushes and truncates': {
    steps: ['commit', 'raise fence', 'append'],
    works: [holder('put a0', 'flush', 'put a1'), opener('put b0')],
  },
  'a reader, an owner that flushes and compacts, and one that opens': {
    steps: ['commit', 'remove table'],
    works: [holder('put a0', 'flush', 'put a1', 'flush', 'compact'), opener('put b0')],
    reader: true,
  },
}
