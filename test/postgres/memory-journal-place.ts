/** A journal over tables in memory, on a clock that goes on by itself. */

import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../../src/kernel/ids.ts'
import { MIB } from '../../src/kernel/limits.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { MemoryJournalTable } from './memory-journal-table.ts'

const hash = await loadHash()
export const SHARD = shardId('main')

export class Place {
  readonly table = new MemoryJournalTable()
  readonly clock = new SimulatedClock()
  readonly keeper = new MemoryStateKeeper()
  readonly random: SeededRandom
  honest = true
  #epoch = 0
  #stopped = false

  constructor(seed = 1) {
    this.random = new SeededRandom(seed)
    void (async () => {
      while (!this.#stopped) {
        await this.clock.turn()
        this.clock.advance(50)
      }
    })()
  }

  system(): PostgresJournalSystem {
    const { table, clock, random } = this
    const durability = () => Promise.resolve(this.honest ? (['written', 'synced'] as const) : (['written'] as const))
    const parts = { table, hash, random, clock, awayMs: 60_000, pendingBytesMax: 1 * MIB, durability }
    return new PostgresJournalSystem(parts, ['written', 'synced'])
  }

  open(needed?: number): Promise<Journal> {
    const position = needed === undefined ? undefined : journalPosition(needed)
    return this.system().open(SHARD, epoch(++this.#epoch), this.keeper, position)
  }

  stop(): void {
    this.#stopped = true
  }
}

export async function values(journal: Pick<Journal, 'replay'>, from = 0): Promise<number[]> {
  const found: number[] = []
  await journal.replay(journalPosition(from), (payload) => void found.push(payload[0] as number))
  return found
}
