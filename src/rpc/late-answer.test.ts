/** A server that gives a call up for its caller says so as that caller's own patience would. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EchoService } from '../../test/rpc/echo-service.ts'
import { loadHash } from '../kernel/hash.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { RpcClient } from './client.ts'
import { dialLoopback } from './loopback.ts'
import { RpcServer } from './server.ts'

const hash = await loadHash()

// Whoever called heard ABORTED, though nobody had aborted anything.
for (const effect of [false, true]) {
  test(`a call ${effect ? 'with' : 'without'} an effect that is given up at the server first is unanswered, not aborted`, async () => {
    const [there, here] = [new SimulatedClock(), new SimulatedClock()]
    const service = new EchoService()
    const server = new RpcServer({ services: [service], clock: there, hash })
    const client = new RpcClient({ dial: dialLoopback(server), clock: here, hash, random: new SeededRandom(1) })
    const connection = await client.connection()
    const call = { service: 'echo', method: 'hold', parameters: [], timeoutMs: 1_000, effect }
    const given = assert.rejects(connection.call(call), {
      code: effect ? 'OUTCOME_UNKNOWN' : 'IO_FAILED',
      details: { operation: 'echo.hold', unanswered: true },
    })
    while (service.holding === 0) await there.turn()
    there.advance(1_000)
    await given
    assert.ok(connection.alive, 'the connection is as it was')
    const aborting = new AbortController()
    const aborted = assert.rejects(connection.call({ ...call, signal: aborting.signal }), { code: 'ABORTED' })
    aborting.abort(new Error('enough'))
    await aborted
    await client.close()
    await server.close()
  })
}
