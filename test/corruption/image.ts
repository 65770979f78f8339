/** All files of a disk as plain bytes, so that one can be damaged and the rest shared. */

import { parentOf } from '../../src/fs/device-path.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { SimulatedTree } from '../../src/testing/simulated-tree.ts'

/** Content by path. Never changed: damage makes another. */
export type Image = ReadonlyMap<string, Uint8Array>

export function imageOf(device: SimulatedDevice): Image {
  return new Map(device.files().map((path) => [path, device.inode(path).content()]))
}

/** A disk with these files, all of it on stable storage. */
export function deviceOf(image: Image): SimulatedDevice {
  const tree = new SimulatedTree()
  for (const [path, bytes] of image) {
    tree.makeDirectory(parentOf(path))
    const inode = tree.create(path, 'open')
    inode.write([bytes], 0)
    inode.sync(inode.changes)
  }
  return new SimulatedDevice({}, tree)
}

export function bytesOf(image: Image): number {
  let sum = 0
  for (const bytes of image.values()) sum += bytes.length
  return sum
}
