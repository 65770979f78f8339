import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { testJournal } from '../../src/testing/journal-conformance.ts'
import type { JournalPlace } from '../../src/testing/journal-bench.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { SimulatedDeviceOptions } from '../../src/testing/simulated-device.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import type { LocalJournalSettings } from '../../src/journal/settings.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'

const hash = await loadHash()

testJournal({
  test,
  name: 'local journal on the file system',
  open: async () => {
    const root = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-journal-'))
    return {
      system: () =>
        new LocalJournalSystem({
          device: new NodeDevice(root),
          directory: 'journal',
          hash,
          random: new SystemRandom(),
        }),
      dispose: () => fs.rm(root, { recursive: true }),
    }
  },
})

// Segments so small that most tests rotate, and reads so small that most frames need several.
const TINY = { segmentBytes: 8192, preallocateBytes: 1024, readBytes: 128, pendingBytesMax: 1_000_000 }

async function simulated(
  options: SimulatedDeviceOptions,
  settings: Partial<LocalJournalSettings> = {},
): Promise<JournalPlace> {
  const device = new SimulatedDevice(options)
  const random = new SeededRandom(1)
  return { system: () => new LocalJournalSystem({ device, directory: 'journal', hash, random, settings }) }
}

testJournal({ test, name: 'local journal on a simulated device', open: () => simulated({}) })
testJournal({ test, name: 'local journal in tiny segments', open: () => simulated({}, TINY) })
testJournal({
  test,
  name: 'local journal on a device without synchronous calls',
  open: () => simulated({ syncRead: false, syncWrite: false }),
})
testJournal({
  test,
  name: 'local journal on a slow device without synchronous calls, in tiny segments',
  open: () => simulated({ syncRead: false, syncWrite: false, delay: turns(7) }, TINY),
})

/** Later by some microtasks, now more and now fewer. */
function turns(most: number): () => Promise<void> {
  let calls = 0
  return async () => {
    for (let left = calls++ % most; left > 0; left--) await Promise.resolve()
  }
}
