/** A device that tells a ledger what is asked of it, before and after the device below has done it. */

import path from 'node:path'
import type {
  Device,
  DeviceDirectory,
  DeviceFile,
  DirectoryEntry,
  DeviceSpace,
  DeviceStat,
  OpenMode,
} from '../../src/kernel/device.ts'
import { markersIn } from './markers.ts'
import type { SyncLedger } from './sync-ledger.ts'

export class CountingDevice implements Device {
  readonly #device: Device
  readonly #ledger: SyncLedger

  constructor(device: Device, ledger: SyncLedger) {
    this.#device = device
    this.#ledger = ledger
  }

  get supports(): Device['supports'] {
    return this.#device.supports
  }

  async open(name: string, mode: OpenMode): Promise<DeviceFile> {
    const file = await this.#device.open(name, mode)
    if (mode === 'create') this.#ledger.named(path.join('/', name))
    return new CountingFile(file, this.#ledger)
  }

  openSync(name: string, mode: OpenMode): DeviceFile {
    const file = this.#device.openSync(name, mode)
    if (mode === 'create') this.#ledger.named(path.join('/', name))
    return new CountingFile(file, this.#ledger)
  }

  // The port says of `makeDirectory` that what it made is durable; the device's own suite holds it to that.
  makeDirectory(name: string): Promise<void> {
    return this.#device.makeDirectory(name)
  }

  list(name: string): Promise<readonly DirectoryEntry[]> {
    return this.#device.list(name)
  }

  stat(name: string): Promise<DeviceStat | undefined> {
    return this.#device.stat(name)
  }

  statSync(name: string): DeviceStat | undefined {
    return this.#device.statSync(name)
  }

  async link(existing: string, created: string): Promise<void> {
    await this.#device.link(existing, created)
    this.#ledger.named(path.join('/', created))
  }

  async rename(source: string, target: string): Promise<void> {
    await this.#device.rename(source, target)
    this.#ledger.named(path.join('/', target))
  }

  unlink(name: string): Promise<void> {
    return this.#device.unlink(name)
  }

  async syncDirectory(name: string): Promise<void> {
    const end = this.#ledger.syncDirectory(path.join('/', name))
    await this.#device.syncDirectory(name)
    end()
  }

  async openDirectory(name: string): Promise<DeviceDirectory> {
    const directory = await this.#device.openDirectory(name)
    const sync = async (): Promise<void> => {
      const end = this.#ledger.syncDirectory(path.join('/', name))
      await directory.sync()
      end()
    }
    return { sync, close: () => directory.close() }
  }

  space(name: string): Promise<DeviceSpace> {
    return this.#device.space(name)
  }
}

class CountingFile implements DeviceFile {
  readonly #file: DeviceFile
  readonly #ledger: SyncLedger

  constructor(file: DeviceFile, ledger: SyncLedger) {
    this.#file = file
    this.#ledger = ledger
  }

  get path(): string {
    return this.#file.path
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#file.read(into, position)
  }

  readSync(into: Uint8Array, position: number): number {
    return this.#file.readSync(into, position)
  }

  readNow(into: Uint8Array, position: number): number | undefined {
    return this.#file.readNow(into, position)
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<void> {
    const end = this.#begin(parts)
    await this.#file.write(parts, position)
    end()
  }

  writeSync(parts: readonly Uint8Array[], position: number): void {
    const end = this.#begin(parts)
    this.#file.writeSync(parts, position)
    end()
  }

  async sync(): Promise<void> {
    const end = this.#ledger.sync(path.join('/', this.path))
    await this.#file.sync()
    end()
  }

  preallocate(start: number, limit: number): Promise<void> {
    return this.#file.preallocate(start, limit)
  }

  size(): Promise<number> {
    return this.#file.size()
  }

  truncate(bytes: number): Promise<void> {
    return this.#file.truncate(bytes)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #begin(parts: readonly Uint8Array[]): () => void {
    const text = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1')).join('')
    return this.#ledger.write(path.join('/', this.path), markersIn(text))
  }
}
