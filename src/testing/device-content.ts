/** Files of a device for tests: made and read whole, as numbers. */

import type { Device, DeviceFile } from '../kernel/device.ts'

/** A new file of these bytes, open. */
export async function create(device: Device, path: string, bytes: readonly number[]): Promise<DeviceFile> {
  const file = await device.open(path, 'create')
  await file.write([Uint8Array.from(bytes)], 0)
  return file
}

export async function content(device: Device, path: string): Promise<number[]> {
  const file = await device.open(path, 'read')
  try {
    return await bytesOf(file)
  } finally {
    await file.close()
  }
}

export async function bytesOf(file: DeviceFile): Promise<number[]> {
  const bytes = new Uint8Array((await file.size()) + 1)
  const length = await file.read(bytes, 0)
  return [...bytes.subarray(0, length)]
}
