/**
 * A composition whose journal is in a log that it shares with a neighbour, who writes more than it and keeps less: so what
 * is needed is copied, and segments go before it, again and again.
 */

import { openSharedLog } from '../src/cli/serve/shared-log.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import type { Journal, JournalSystem } from '../src/journal/journal.ts'
import { RenewedSharedJournal } from '../src/journal/renewed-shared-journal.ts'
import { epoch, shardId } from '../src/kernel/ids.ts'
import type { JournalPosition } from '../src/kernel/ids.ts'
import { KIB } from '../src/kernel/limits.ts'
import { MemoryStateKeeper } from '../src/testing/memory-state-keeper.ts'
import type { SeededRandom } from '../src/testing/seeded-random.ts'
import type { Composer } from './simulation.ts'

// A segment or two of those tests have.
const RECLAIM_BYTES = 8 * KIB

export function sharingLog(random: SeededRandom): Composer {
  let openings = 0
  return {
    async compose(parts: KvComponents): Promise<KvComponents> {
      const shared = await RenewedSharedJournal.open(() => openSharedLog(parts.heads, parts.journal), {
        reclaimBytes: RECLAIM_BYTES,
      })
      const neighbour = await shared.open(shardId('neighbour'), epoch(++openings), new MemoryStateKeeper())
      const close = async (): Promise<void> => {
        await shared.close()
        await parts.close?.()
      }
      return { ...parts, journal: disturbed(shared, neighbour, random), close }
    },
  }
}

/** `system`, with the neighbour at work whenever something of a journal may go. */
function disturbed(system: JournalSystem, neighbour: Journal, random: SeededRandom): JournalSystem {
  return {
    name: system.name,
    version: system.version,
    supports: system.supports,
    openReadOnly: system.openReadOnly.bind(system),
    async open(...call): Promise<Journal> {
      const journal = await system.open(...call)
      const truncate = journal.truncate.bind(journal)
      journal.truncate = async (before: JournalPosition): Promise<void> => {
        // Its failures are its own.
        await write(neighbour, random).catch(() => undefined)
        return truncate(before)
      }
      return journal
    },
  }
}

async function write(neighbour: Journal, random: SeededRandom): Promise<void> {
  for (let left = random.below(4); left > 0; left--)
    await neighbour.append(new Uint8Array(1 + random.below(3000)), 'written').written
  if (random.once(2)) await neighbour.truncate(neighbour.end)
}
