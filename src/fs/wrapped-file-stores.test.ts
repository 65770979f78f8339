/** Every wrapper of a file store, and the poor one of the tests, keeps what the port promises. */

import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { testFileStore } from '../testing/file-store-conformance.ts'
import { PoorFileStore } from '../testing/poor-stores.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { EncryptedFileStore } from './encrypted-file-store.ts'
import { FaultyFileStore } from './faulty-stores.ts'
import type { FileStore } from './fs.ts'
import { KeyRing } from './key-ring.ts'
import { LocalFileStore } from './local-file-store.ts'
import { MemoryFileStore } from './memory-file-store.ts'
import { randomFaults } from './random-faults.ts'
import { TracedFileStore } from './traced-stores.ts'

const hash = await loadHash()
const random = new SeededRandom(1)
const keys = new KeyRing([{ id: 'test', secret: new Uint8Array(32).fill(7) }])
const clock = new SimulatedClock()
/** Timers fire some turns later: nobody moves this clock on. */
const hasty = Object.assign(new SimulatedClock(), {
  after(delayMs: number, task: () => void) {
    let left = Math.round(delayMs)
    const step = (): void => void (left-- > 0 ? setImmediate(step) : task())
    step()
    return { cancel: () => undefined }
  },
})

const WRAPPERS: Readonly<Record<string, (inner: FileStore) => FileStore>> = {
  traced: (inner) => new TracedFileStore(inner, { clock, sink: () => undefined }),
  'slowed down by a fault plan': (inner) =>
    new FaultyFileStore(inner, { clock: hasty, plan: randomFaults(random, { delays: 0.5, delayMsMax: 5 }) }),
  encrypted: (inner) => new EncryptedFileStore(inner, { keys, random, hash }),
  poor: (inner) => new PoorFileStore(inner, { random, clock }),
  'encrypted over a poor one': (inner) =>
    new EncryptedFileStore(new PoorFileStore(inner, { random, clock }), { keys, random, hash }),
}

for (const [name, wrap] of Object.entries(WRAPPERS)) {
  testFileStore({
    test,
    name: `local files, ${name}`,
    hash,
    open: () => {
      let device = new SimulatedDevice()
      return Promise.resolve({
        open: async () => wrap(await LocalFileStore.open({ device, directory: 'files', hash })),
        powerCut: () => void (device = device.crash({ data: 'none', names: 'none' }, 1)),
      })
    },
  })
  // Memory answers at once, which a disk never does: where that could make a difference.
  if (name !== 'encrypted' && name !== 'poor') continue
  testFileStore({
    test,
    name: `files in memory, ${name}`,
    hash,
    open: () => {
      const store = new MemoryFileStore({ hash })
      return Promise.resolve({
        open: () => {
          store.reopen()
          return Promise.resolve(wrap(store))
        },
      })
    },
    skip: [
      {
        test: 'a finished file survives a power cut, an unfinished one leaves nothing that can be seen',
        reason: 'memory does not survive a power cut',
      },
    ],
  })
}
