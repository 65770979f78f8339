/** A service whose own journal refuses appends for a while: its clients are told why, and go on afterwards. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../kernel/errors.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { POSITION_ZERO, epoch, shardId } from '../../kernel/ids.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialLoopback } from '../../rpc/loopback.ts'
import { RpcServer } from '../../rpc/server.ts'
import { MemoryStateKeeper } from '../../testing/memory-state-keeper.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { failedAppend } from '../append-check.ts'
import type { Append, Journal, JournalSystem } from '../journal.ts'
import { MemoryJournalSystem } from '../memory-journal.ts'
import { JournalService } from './journal-service.ts'
import { RemoteJournalSystem } from './remote-journal-system.ts'

const hash = await loadHash()
const SHARD = shardId('main')

interface Refusal {
  /** What appends to the service's journal reject with; undefined: they are taken. */
  code: ErrorCode | undefined
  /** Of the append alone; or of the sync of one that is written. */
  of: 'written' | 'synced'
}

/** A journal in memory that refuses on demand. */
function refusing(refusal: Refusal): JournalSystem {
  const inner = new MemoryJournalSystem()
  const { name, version, supports } = inner
  const open: JournalSystem['open'] = async (shard, owner, keeper) => {
    const journal = await inner.open(shard, owner, keeper)
    const append: Journal['append'] = (payload, durability) => {
      const { code, of } = refusal
      if (code === undefined) return journal.append(payload, durability)
      const refused = failedAppend(journal.end, new VarveError(code, 'its own journal lets nobody in'))
      if (of === 'written') return refused
      const { end, written } = journal.append(payload, durability)
      return { end, written, synced: refused.synced } satisfies Append
    }
    return new Proxy(journal, {
      get: (target, key) => {
        const value: unknown = key === 'append' ? append : Reflect.get(target, key, target)
        return typeof value === 'function' && key !== 'append' ? (value.bind(target) as unknown) : value
      },
    })
  }
  return { name, version, supports, open, openReadOnly: (shard) => inner.openReadOnly(shard) }
}

async function remoteJournal(refusal: Refusal): Promise<{ journal: Journal; dispose: () => Promise<void> }> {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const service = new JournalService({ journals: refusing(refusal), clock })
  const server = new RpcServer({ services: [service], clock, hash })
  const client = new RpcClient({ dial: dialLoopback(server), clock, hash, random })
  const system = await RemoteJournalSystem.connect({ client, random })
  const dispose = async (): Promise<void> => {
    await client.close()
    await server.close()
    await service.close()
  }
  return { journal: await system.open(SHARD, epoch(1), new MemoryStateKeeper()), dispose }
}

async function values(journal: Journal): Promise<number[]> {
  const found: number[] = []
  await journal.replay(POSITION_ZERO, (payload) => void found.push(...payload))
  return found
}

// All but NO_SPACE were OUTCOME_UNKNOWN, which ends a shard.
for (const code of ['NO_SPACE', 'OUT_OF_FILES', 'PERMISSION_DENIED', 'IO_FAILED'] as const) {
  for (const durability of ['written', 'synced'] as const) {
    test(`what the journal of a service refuses with ${code}, ${durability}, is refused with it, and later appends are taken`, async () => {
      const refusal: Refusal = { code: undefined, of: 'written' }
      const { journal, dispose } = await remoteJournal(refusal)
      await journal.append(Uint8Array.of(1), durability).written
      refusal.code = code
      const refused = [2, 3, 4].map((value) => journal.append(Uint8Array.of(value), durability))
      for (const { written, synced } of refused) {
        await assert.rejects(written, { code, message: /its own journal lets nobody in|it follows an append/ })
        if (synced !== undefined) await assert.rejects(synced, { code })
      }
      refusal.code = undefined
      assert.equal(journal.end, 1)
      const { written, synced } = journal.append(Uint8Array.of(5), durability)
      await written
      await synced
      assert.deepEqual(await values(journal), [1, 5])
      await journal.close()
      await dispose()
    })
  }
}

for (const code of ['PERMISSION_DENIED', 'IO_FAILED'] as const) {
  test(`an append that is written, and whose sync the journal of a service refuses with ${code}, is of unknown outcome`, async () => {
    const { journal, dispose } = await remoteJournal({ code, of: 'synced' })
    const { written, synced } = journal.append(Uint8Array.of(1), 'synced')
    await written
    await assert.rejects(synced ?? Promise.resolve(), { code: 'OUTCOME_UNKNOWN' })
    await assert.rejects(journal.append(Uint8Array.of(2), 'written').written, { code: 'OUTCOME_UNKNOWN' })
    await journal.close()
    await dispose()
  })
}
