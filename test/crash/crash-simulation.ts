/** The smallest shard on a simulated disk: opened some hundred thousand times. */

import type { DiskImage } from '../../src/testing/disk-image.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import type { SimulatedDeviceOptions } from '../../src/testing/simulated-device.ts'
import type { DeviceOperation } from '../../src/testing/device-operation.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import type { State } from './alphabet.ts'

// Nothing is flushed or compacted unless a workload asks for it: what happens in the background is not the workload's.
const SETTINGS = { ...TINY_SETTINGS, memtableBytes: 1 << 20, level0Files: 8, level0FilesStop: 16 } as const

/** @param before sees every operation of the device before it happens */
export function simulationOn(
  image: DiskImage | undefined,
  before?: (operation: DeviceOperation) => void,
  others: SimulatedDeviceOptions = {},
): Simulation {
  const options = { ...others, record: false, ...(before === undefined ? {} : { before }) }
  const simulation = new Simulation(1, SETTINGS, options)
  simulation.journalSettings = { segmentBytes: 4096, preallocateBytes: 512 }
  if (image !== undefined) simulation.device = SimulatedDevice.of(image, simulation.deviceOptions)
  return simulation
}

/** A closed database with a table in the last level, one in level 0, and entries in the journal. */
export async function baseImage(): Promise<{ readonly image: DiskImage; readonly state: State }> {
  const simulation = simulationOn(undefined)
  await simulation.open()
  const put = (key: string, value: string): Promise<void> =>
    simulation.db.put(Buffer.from(key), Buffer.from(value), { durability: 'synced' })
  await put('a', 'old a')
  await put('b', 'old b')
  await put('e', 'old e')
  await simulation.db.flush()
  await simulation.db.compactRange()
  await put('b', 'newer b')
  await put('c', 'newer c')
  await simulation.db.flush()
  await put('c', 'newest c')
  const state = await contentOf(simulation)
  await simulation.stop()
  const { device } = simulation
  return { image: device.image(device.pendingChanges().map(() => 'kept')), state }
}

export async function contentOf(simulation: Simulation): Promise<State> {
  const found = new Map<string, string>()
  const scan = simulation.db.scan()
  for (;;) {
    const entries = await scan.next(64)
    if (entries.length === 0) return found
    for (const { key, value } of entries) found.set(Buffer.from(key).toString(), Buffer.from(value).toString())
  }
}
