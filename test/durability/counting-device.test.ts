/** What judges the syncs of others is itself a device, and nothing is lost in it. */

import { test } from 'node:test'
import { testDevice } from '../../src/testing/device-conformance.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { CountingDevice } from './counting-device.ts'
import { SyncLedger } from './sync-ledger.ts'

testDevice({
  test,
  name: 'a counting device',
  open: () => {
    const device = new SimulatedDevice({ atHand: (_path, position) => position % 3 !== 0 })
    const ledger = new SyncLedger()
    return Promise.resolve({
      device: new CountingDevice(device, ledger),
      reopen: (options) => new CountingDevice(device.kill(options), ledger),
      powerCut: () => new CountingDevice(device.crash({ data: 'none', names: 'none' }, 1), ledger),
    })
  },
})
