import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { testHeadStore } from '../testing/head-store-conformance.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { SimulatedDeviceOptions } from '../testing/simulated-device.ts'
import type { HeadStore } from './fs.ts'
import { LocalHeadStore } from './local-head-store.ts'
import { MemoryHeadStore } from './memory-head-store.ts'
import { NodeDevice } from './node-device.ts'

const hash = await loadHash()
const random = new SeededRandom(1)
const POWER_CUT = 'what was set survives a power cut'

testHeadStore({
  test,
  name: 'local heads on the file system',
  open: async () => {
    const root = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-heads-'))
    return {
      open: () => LocalHeadStore.open({ device: new NodeDevice(root), directory: 'heads', hash, random }),
      dispose: () => fs.rm(root, { recursive: true }),
    }
  },
  skip: [{ test: POWER_CUT, reason: 'a test cannot cut the power of the machine it runs on' }],
})

function testOnSimulated(name: string, options: SimulatedDeviceOptions): void {
  testHeadStore({
    test,
    name,
    open: () => {
      let device = new SimulatedDevice(options)
      return Promise.resolve({
        open: () => LocalHeadStore.open({ device, directory: 'heads', hash, random }),
        powerCut: () => void (device = device.crash({ data: 'none', names: 'none' }, 1)),
      })
    },
  })
}

testOnSimulated('local heads on a simulated device', {})
testOnSimulated('local heads on a slow device', {
  syncRead: false,
  syncWrite: false,
  delay: async () => {
    for (let left = random.below(20); left > 0; left--) await Promise.resolve()
  },
})

testHeadStore({
  test,
  name: 'heads in memory',
  open: () => {
    const store: HeadStore = new MemoryHeadStore()
    return Promise.resolve({ open: () => Promise.resolve(store) })
  },
  skip: [{ test: POWER_CUT, reason: 'memory does not survive a power cut' }],
})
