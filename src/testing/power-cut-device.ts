/**
 * A real disk on which killing the process is cutting the power: what was not synced stays in memory, where reads see it,
 * and dies with the process.
 *
 * Everything happens on a simulated device that begins with what is on the real one; whenever something has been synced,
 * what a power cut would leave is carried over before the sync resolves. RocksDB's crash test holds back data in the same
 * way; here names are held back too. Files are replaced whole, by rename: a kill in between leaves what was there before.
 *
 * It holds all files in memory, and takes time in proportion to those that a sync changes: for small databases.
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import { joinPath } from '../fs/device-path.ts'
import { DiskImage, FileContent } from './disk-image.ts'
import { SimulatedDevice } from './simulated-device.ts'

/** Where files are written before they take the place of others. */
const ASIDE = '_power-cut'

/**
 * @param disk what is on it counts as stored; whoever opens it after this process was killed finds what a power cut would
 *   have left. Nobody else changes it meanwhile
 */
export async function powerCutDevice(disk: Device): Promise<SimulatedDevice> {
  const stored = new StoredFiles(disk)
  const device: SimulatedDevice = SimulatedDevice.of(await stored.read(), {
    record: false,
    afterSync: () => stored.become(device.image(device.pendingChanges().map(() => 'lost'))),
  })
  return device
}

/** What has been carried over. */
class StoredFiles {
  readonly #disk: Device
  #files: ReadonlyMap<string, FileContent> = new Map()
  readonly #directories = new Set<string>(['.'])
  /** One image after the other: a later one has all that an earlier one has. */
  #turn: Promise<void> = Promise.resolve()
  #asideNext = 0

  constructor(disk: Device) {
    this.#disk = disk
  }

  async read(): Promise<DiskImage> {
    await this.#disk.makeDirectory(ASIDE)
    for (const { name } of await this.#disk.list(ASIDE)) await this.#disk.unlink(joinPath(ASIDE, name))
    const files = new Map<string, FileContent>()
    await this.#readDirectory('.', files)
    this.#files = files
    return new DiskImage([...this.#directories], files)
  }

  become(image: DiskImage): Promise<void> {
    const turn = this.#turn.then(() => this.#become(image))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #readDirectory(path: string, files: Map<string, FileContent>): Promise<void> {
    for (const { name, directory } of await this.#disk.list(path)) {
      const child = joinPath(path, name)
      if (child === ASIDE) continue
      if (directory) {
        this.#directories.add(child)
        await this.#readDirectory(child, files)
      } else files.set(child, new FileContent(await this.#readFile(child)))
    }
  }

  async #readFile(path: string): Promise<Uint8Array> {
    const file = await this.#disk.open(path, 'read')
    try {
      const bytes = new Uint8Array(await file.size())
      return bytes.subarray(0, await file.read(bytes, 0))
    } finally {
      await file.close()
    }
  }

  /** First what is new, then what is gone: a file that was moved is never under neither name. */
  async #become(image: DiskImage): Promise<void> {
    for (const path of image.directories) {
      if (this.#directories.has(path)) continue
      await this.#disk.makeDirectory(path)
      this.#directories.add(path)
    }
    for (const [path, content] of image.files) {
      if (this.#files.get(path) !== content) await this.#replace(path, content.bytes)
    }
    for (const path of this.#files.keys()) if (!image.files.has(path)) await this.#remove(path)
    this.#files = image.files
  }

  async #replace(path: string, bytes: Uint8Array): Promise<void> {
    const aside = joinPath(ASIDE, String(this.#asideNext++))
    const file: DeviceFile = await this.#disk.open(aside, 'create')
    try {
      await file.write([bytes], 0)
    } finally {
      await file.close()
    }
    await this.#disk.rename(aside, path)
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#disk.unlink(path)
    } catch (error) {
      if (!isCode(error, 'NOT_FOUND')) throw error
    }
  }
}
