import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { testDevice } from '../testing/device-conformance.ts'
import { LateAnswers } from '../testing/late-answers.ts'
import { powerCutDevice } from '../testing/power-cut-device.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import type { SimulatedDeviceOptions } from '../testing/simulated-device.ts'
import { NodeDevice } from './node-device.ts'

const POWER_CUT = 'what was synced survives a power cut: content, length, and names'

testDevice({
  test,
  name: 'the device on the file system',
  open: async () => {
    const root = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-device-'))
    return {
      device: new NodeDevice(root),
      reopen: (options) => new NodeDevice(root, options),
      dispose: () => fs.rm(root, { recursive: true }),
    }
  },
  skip: [{ test: POWER_CUT, reason: 'a test cannot cut the power of the machine it runs on' }],
})

testDevice({
  test,
  name: 'the device that loses power with its process',
  open: async () => {
    const root = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-device-'))
    const device = await powerCutDevice(new NodeDevice(root))
    return {
      device,
      reopen: (options) => device.shared(options),
      // What is on the disk is what a power cut leaves.
      powerCut: () => new NodeDevice(root),
      dispose: () => fs.rm(root, { recursive: true }),
    }
  },
})

function testSimulated(name: string, simulated: SimulatedDeviceOptions): void {
  testDevice({
    test,
    name,
    open: () => {
      const device = new SimulatedDevice(simulated)
      return Promise.resolve({
        device,
        reopen: (options) => device.kill({ ...simulated, ...options }),
        powerCut: () => device.crash({ data: 'none', names: 'none' }, 1),
      })
    },
  })
}

testSimulated('the simulated device', {})
testSimulated('the simulated device without synchronous calls', { syncRead: false, syncWrite: false })
testSimulated('the simulated device, slow', { delay: () => new Promise((resolve) => setImmediate(resolve)) })
// Answers overtake each other, and nothing is synchronous: a disk across a network.
const late = new LateAnswers({ random: new SeededRandom(1), clock: new SimulatedClock() })
testSimulated('the simulated device, poor', { syncRead: false, syncWrite: false, delay: () => late.pass() })
testSimulated('the simulated device with a plan of faults that has none', {
  before: () => undefined,
  transferFault: () => undefined,
  capacityBytes: 1 << 30,
  failedWrites: 'some',
  failedSyncs: 'dropped',
})
testSimulated('the simulated device with everything at hand', { atHand: () => true })
testSimulated('the simulated device with some things at hand', { atHand: (_path, position) => position % 3 !== 0 })
