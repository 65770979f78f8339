import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { testFileStore } from '../testing/file-store-conformance.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { SimulatedDeviceOptions } from '../testing/simulated-device.ts'
import { LocalFileStore } from './local-file-store.ts'
import { MemoryFileStore } from './memory-file-store.ts'
import { NodeDevice } from './node-device.ts'

const hash = await loadHash()
const POWER_CUT = 'a finished file survives a power cut, an unfinished one leaves nothing that can be seen'

testFileStore({
  test,
  name: 'local files on the file system',
  hash,
  open: async () => {
    const root = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-files-'))
    return {
      open: () => LocalFileStore.open({ device: new NodeDevice(root), directory: 'files', hash }),
      dispose: () => fs.rm(root, { recursive: true }),
    }
  },
  skip: [{ test: POWER_CUT, reason: 'a test cannot cut the power of the machine it runs on' }],
})

function testOnSimulated(name: string, options: SimulatedDeviceOptions): void {
  testFileStore({
    test,
    name,
    hash,
    open: () => {
      let device = new SimulatedDevice(options)
      return Promise.resolve({
        open: () => LocalFileStore.open({ device, directory: 'files', hash }),
        powerCut: () => void (device = device.crash({ data: 'none', names: 'none' }, 1)),
      })
    },
  })
}

testOnSimulated('local files on a simulated device', {})
testOnSimulated('local files on a device without synchronous calls', { syncRead: false, syncWrite: false })
testOnSimulated('local files on a device with synchronous reads only', { syncWrite: false })
testOnSimulated('local files on a device with some things at hand', { atHand: (_path, position) => position % 3 !== 0 })
testOnSimulated('local files on a slow device', { delay: () => new Promise((resolve) => setImmediate(resolve)) })

for (const syncRead of [true, false]) {
  testFileStore({
    test,
    name: `files in memory, ${syncRead ? 'near' : 'far away'}`,
    hash,
    open: () => {
      const store = new MemoryFileStore({ hash, syncRead, readNow: syncRead })
      return Promise.resolve({
        open: () => {
          store.reopen()
          return Promise.resolve(store)
        },
      })
    },
    skip: [{ test: POWER_CUT, reason: 'memory does not survive a power cut' }],
  })
}
