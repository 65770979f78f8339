/** A journal elsewhere whose client is let in no more, in the midst of its work. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { epoch, shardId } from '../../kernel/ids.ts'
import { Access } from '../../rpc/access.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialLoopback } from '../../rpc/loopback.ts'
import { RpcServer } from '../../rpc/server.ts'
import { MemoryStateKeeper } from '../../testing/memory-state-keeper.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { MemoryJournalSystem } from '../memory-journal.ts'
import { JournalService } from './journal-service.ts'
import { RemoteJournalSystem } from './remote-journal-system.ts'

const VALID_MS = 60_000

// Closing rejected with PERMISSION_DENIED, and what had happened to the append was to be found in causes only.
for (const [how, expire] of [
  // The connection has been silent for so long that it is made anew, and refused.
  ['while nothing is sent', (clock: SimulatedClock) => clock.advance(VALID_MS)],
  // The append itself is refused, by the server, not by its journal.
  ['under a connection that is used', (clock: SimulatedClock) => clock.jump(VALID_MS)],
] as const) {
  test(`where a token expires ${how}, appends to a journal say so, and closing is no error`, async () => {
    const [clock, random, hash] = [new SimulatedClock(), new SeededRandom(1), await loadHash()]
    const expires = new Date(clock.now() + VALID_MS).toISOString()
    const access = new Access([{ name: 'orders', token: 'the token of orders', expires }])
    const service = new JournalService({ journals: new MemoryJournalSystem(), clock })
    const server = new RpcServer({ services: [service], clock, hash, access })
    const client = new RpcClient({ dial: dialLoopback(server), clock, hash, random, token: 'the token of orders' })
    const system = await RemoteJournalSystem.connect({ client, random })
    const journal = await system.open(shardId('orders'), epoch(1), new MemoryStateKeeper())
    await journal.append(Uint8Array.of(1), 'synced').synced
    expire(clock)
    await assert.rejects(journal.append(Uint8Array.of(2), 'written').written, (error: unknown) => {
      assert.ok(error instanceof VarveError && error.code === 'OUTCOME_UNKNOWN')
      assert.match(error.message, /\(the token of orders has expired\): it may or may not have happened/)
      return true
    })
    await journal.close()
    await assert.rejects(system.open(shardId('orders'), epoch(2), new MemoryStateKeeper()), {
      code: 'PERMISSION_DENIED',
    })
    await client.close()
    await server.close()
    await service.close()
  })
}
