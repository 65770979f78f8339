/** Everything that stands on a device, over the device of the addon: the same promises, kept by other calls. */

import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { NativeFileCalls } from '../../src/native/native-file-calls.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { testDevice } from '../../src/testing/device-conformance.ts'
import { testFileStore } from '../../src/testing/file-store-conformance.ts'
import { testHeadStore } from '../../src/testing/head-store-conformance.ts'
import { testJournal } from '../../src/testing/journal-conformance.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { addon, testWithAddon } from './addon-test.ts'

const hash = await loadHash()
const random = new SeededRandom(1)
const NO_POWER_CUT = 'a test cannot cut the power of the machine it runs on'

interface Place {
  readonly root: string
  readonly calls: NativeFileCalls
  readonly device: NodeDevice
  readonly dispose: () => Promise<void>
}

async function open(): Promise<Place> {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-native-'))
  const calls = new NativeFileCalls(addon(), root, new SystemClock())
  const dispose = async (): Promise<void> => {
    await calls.close()
    await fs.rm(root, { recursive: true })
  }
  return { root, calls, device: new NodeDevice(root, { calls }), dispose }
}

testDevice({
  test: testWithAddon,
  name: 'the device of the addon',
  open: async () => {
    const { root, calls, device, dispose } = await open()
    return { device, reopen: (options) => new NodeDevice(root, { ...options, calls }), dispose }
  },
  skip: [{ test: 'what was synced survives a power cut: content, length, and names', reason: NO_POWER_CUT }],
})

testFileStore({
  test: testWithAddon,
  name: 'local files through the addon',
  hash,
  open: async () => {
    const { device, dispose } = await open()
    return { open: () => LocalFileStore.open({ device, directory: 'files', hash }), dispose }
  },
  skip: [
    {
      test: 'a finished file survives a power cut, an unfinished one leaves nothing that can be seen',
      reason: NO_POWER_CUT,
    },
  ],
})

testHeadStore({
  test: testWithAddon,
  name: 'local heads through the addon',
  open: async () => {
    const { device, dispose } = await open()
    return { open: () => LocalHeadStore.open({ device, directory: 'heads', hash, random }), dispose }
  },
  skip: [{ test: 'what was set survives a power cut', reason: NO_POWER_CUT }],
})

testJournal({
  test: testWithAddon,
  name: 'local journal through the addon',
  open: async () => {
    const { device, dispose } = await open()
    return { system: () => new LocalJournalSystem({ device, directory: 'journal', hash, random }), dispose }
  },
})
