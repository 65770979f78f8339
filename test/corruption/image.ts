/** All files of a disk as plain bytes, so that one can be damaged and the rest shared. */

import { parentOf } from '../../src/fs/device-path.ts'
import { DiskImage, FileContent } from '../../src/testing/disk-image.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'

/** Content by path. Never changed: damage makes another. */
export type Image = ReadonlyMap<string, Uint8Array>

export function imageOf(device: SimulatedDevice): Image {
  return new Map(device.files().map((path) => [path, device.inode(path).content()]))
}

/** A disk with these files, all of it on stable storage. */
export function deviceOf(image: Image): SimulatedDevice {
  const directories = new Set<string>()
  for (const path of image.keys()) {
    for (let above = parentOf(path); above !== '.'; above = parentOf(above)) directories.add(above)
  }
  const files = new Map(Array.from(image, ([path, bytes]) => [path, new FileContent(bytes)]))
  return SimulatedDevice.of(new DiskImage([...directories], files))
}

export function bytesOf(image: Image): number {
  let sum = 0
  for (const bytes of image.values()) sum += bytes.length
  return sum
}
