/** The whole suite of job schedulers over a network that fails. Most of its time is waiting for what was dropped. */

import { test } from 'node:test'
import type { Dial } from '../../src/rpc/rpc.ts'
import { faultyDial } from '../../src/testing/faulty-wire.ts'
import { testJobScheduler } from '../../src/testing/job-scheduler-conformance.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { clock, openPlace } from './remote-place.ts'

// Notices soon what was dropped.
const ATTENTIVE = { heartbeatMs: 100, silenceMsMax: 250, handshakeMs: 250 }

testJobScheduler({
  test,
  name: 'a worker elsewhere, by a network that fails',
  isolated: false,
  open: ({ concurrency, pendingMax }) => {
    const random = new SeededRandom(1)
    const faults = {
      dropsOnceIn: 40,
      repeatsOnceIn: 40,
      swapsOnceIn: 40,
      damagesOnceIn: 40,
      cutsOnceIn: 15,
      delayTurnsMax: 1,
    }
    const around = (dial: Dial): Dial => faultyDial(dial, { random, clock, faults })
    return openPlace({ concurrency, pendingMax, listens: true, around, settings: ATTENTIVE, awayMs: 60_000 })
  },
})
