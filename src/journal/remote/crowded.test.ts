/** Whether there is space where a journal is that is elsewhere: told by whoever knows, and nothing ends where nobody does. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../kernel/hash.ts'
import { epoch, shardId } from '../../kernel/ids.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialLoopback } from '../../rpc/loopback.ts'
import { RpcServer } from '../../rpc/server.ts'
import { MemoryStateKeeper } from '../../testing/memory-state-keeper.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import type { Journal, JournalSystem } from '../journal.ts'
import { MemoryJournalSystem } from '../memory-journal.ts'
import { JournalService } from './journal-service.ts'
import { RemoteJournalSystem } from './remote-journal-system.ts'

const hash = await loadHash()

/** Journals in memory that say so of their place. */
class Crowded extends MemoryJournalSystem {
  readonly #crowded: boolean

  constructor(crowded: boolean) {
    super()
    this.#crowded = crowded
  }

  override async open(...call: Parameters<JournalSystem['open']>): Promise<Journal> {
    const journal = await super.open(call[0], call[1], call[2])
    return Object.assign(journal, { crowded: () => Promise.resolve(this.#crowded) })
  }
}

interface Elsewhere {
  readonly journal: Journal
  /** The service closes its journals. */
  readonly forget: () => Promise<void>
  /** Every connection is lost. */
  readonly disconnect: () => Promise<void>
}

async function elsewhere(journals: JournalSystem): Promise<Elsewhere> {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const service = new JournalService({ journals, clock })
  const server = new RpcServer({ services: [service], clock, hash })
  const client = new RpcClient({ dial: dialLoopback(server), clock, hash, random })
  const system = await RemoteJournalSystem.connect({ client, random })
  const journal = await system.open(shardId('main'), epoch(1), new MemoryStateKeeper())
  return { journal, forget: () => service.close(), disconnect: () => server.close() }
}

test('a journal elsewhere is as crowded as its service says, and a service that does not know says no', async () => {
  assert.equal(await (await elsewhere(new Crowded(true))).journal.crowded?.(), true)
  assert.equal(await (await elsewhere(new Crowded(false))).journal.crowded?.(), false)
  assert.equal(await (await elsewhere(new MemoryJournalSystem())).journal.crowded?.(), false)
})

test('a service that does not have the journal any more, or has gone, is not asked in vain: who appends finds out', async () => {
  const { journal, forget, disconnect } = await elsewhere(new Crowded(true))
  await journal.append(Uint8Array.of(1), 'written').written
  await forget()
  assert.equal(await journal.crowded?.(), false)
  await assert.rejects(journal.append(Uint8Array.of(2), 'written').written, { code: 'OUTCOME_UNKNOWN' })
  await disconnect()
  assert.equal(await journal.crowded?.(), false)
  await journal.close()
  assert.equal(await journal.crowded?.(), false)
})
