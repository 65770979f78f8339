/** Journals on simulated streams, and what is in them. */

import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../../src/kernel/ids.ts'
import type { Journal, JournalReader } from '../../src/journal/journal.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import type { NatsJournalSettings } from '../../src/journal/nats/settings.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedServer, SimulatedStreams } from './simulated-streams.ts'
import type { SimulatedStreamsOptions } from './simulated-streams.ts'
import { TurningClock } from './turning-clock.ts'

const hash = await loadHash()
export const SHARD = shardId('shard-1')
export const STREAM = 'varve-journal-shard-1'

/** One stream, and those who share it. */
export class Place {
  readonly server = new SimulatedServer()
  readonly clock = new TurningClock()
  readonly keeper = new MemoryStateKeeper()
  readonly random: SeededRandom

  constructor(seed = 1) {
    this.random = new SeededRandom(seed)
  }

  streams(options: Partial<SimulatedStreamsOptions> = {}): SimulatedStreams {
    const { server, clock } = this
    return new SimulatedStreams({ server, clock, random: new SeededRandom(this.random.u32()), ...options })
  }

  system(streams = this.streams(), settings: Partial<NatsJournalSettings> = {}): NatsJournalSystem {
    const { clock, random } = this
    return new NatsJournalSystem({ streams, hash, clock, random, settings: { resumeMs: 2_000, ...settings } })
  }

  open(at: number, streams?: SimulatedStreams, settings?: Partial<NatsJournalSettings>): Promise<Journal> {
    return this.system(streams, settings).open(SHARD, epoch(at), this.keeper)
  }
}

export const payloadOf = (index: number, length = 1 + ((index * 7919) % 300)): Uint8Array =>
  new Uint8Array(length).map((_, at) => (index * 31 + at) & 255)

/** Batches by position, in hexadecimal digits. */
export async function found(journal: JournalReader, from = 0): Promise<Map<number, string>> {
  const batches = new Map<number, string>()
  await journal.replay(journalPosition(from), (payload, position) => {
    batches.set(position, Buffer.from(payload).toString('hex'))
  })
  return batches
}
