/** Every wrapper of a head store, and the poor one of the tests, keeps what the port promises. */

import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { testHeadStore } from '../testing/head-store-conformance.ts'
import { PoorHeadStore } from '../testing/poor-stores.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { ENCRYPTED_HEAD_BYTES_MAX, EncryptedHeadStore } from './encrypted-head-store.ts'
import { FaultyHeadStore } from './faulty-stores.ts'
import type { HeadStore } from './fs.ts'
import { KeyRing } from './key-ring.ts'
import { LocalHeadStore } from './local-head-store.ts'
import { MemoryHeadStore } from './memory-head-store.ts'
import { TracedHeadStore } from './traced-stores.ts'

const hash = await loadHash()
const random = new SeededRandom(1)
const keys = new KeyRing([{ id: 'test', secret: new Uint8Array(32).fill(7) }])
const clock = new SimulatedClock()

const WRAPPERS: Readonly<Record<string, (inner: HeadStore) => HeadStore>> = {
  traced: (inner) => new TracedHeadStore(inner, { clock, sink: () => undefined }),
  'with a fault plan that lets everything pass': (inner) =>
    new FaultyHeadStore(inner, { clock, plan: () => undefined }),
  encrypted: (inner) => new EncryptedHeadStore(inner, { keys, random, hash }),
  poor: (inner) => new PoorHeadStore(inner, { random, clock }),
}

for (const [name, wrap] of Object.entries(WRAPPERS)) {
  const limit = name === 'encrypted' ? { contentBytesMax: ENCRYPTED_HEAD_BYTES_MAX } : {}
  testHeadStore({
    test,
    ...limit,
    name: `local heads, ${name}`,
    open: () => {
      let device = new SimulatedDevice()
      return Promise.resolve({
        open: async () => wrap(await LocalHeadStore.open({ device, directory: 'heads', hash, random })),
        powerCut: () => void (device = device.crash({ data: 'none', names: 'none' }, 1)),
      })
    },
  })
  // Memory answers at once, which a disk never does: where that could make a difference.
  if (name !== 'encrypted' && name !== 'poor') continue
  testHeadStore({
    test,
    ...limit,
    name: `heads in memory, ${name}`,
    open: () => {
      const store = new MemoryHeadStore()
      return Promise.resolve({ open: () => Promise.resolve(wrap(store)) })
    },
    skip: [{ test: 'what was set survives a power cut', reason: 'memory does not survive a power cut' }],
  })
}
