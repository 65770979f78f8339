/** An open file of the simulated device. */

import { assert } from '../kernel/assert.ts'
import type { DeviceFile } from '../kernel/device.ts'
import { VarveError } from '../kernel/errors.ts'
import { failure, unsupported } from './simulated-failure.ts'
import type { SimulatedDevice } from './simulated-device.ts'
import type { OperationName } from './device-operation.ts'
import type { SimulatedInode } from './simulated-inode.ts'
import { readFaulty, writeFaulty } from './simulated-transfer.ts'

export class SimulatedFile implements DeviceFile {
  readonly path: string
  readonly #device: SimulatedDevice
  readonly #inode: SimulatedInode
  readonly #writable: boolean
  #inFlight = 0
  #idle: (() => void) | undefined
  #closing: Promise<void> | undefined
  #syncFailed = false

  constructor(device: SimulatedDevice, path: string, inode: SimulatedInode, writable: boolean) {
    this.#device = device
    this.path = path
    this.#inode = inode
    this.#writable = writable
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#run('read', () => {
      return this.#read(into, position)
    })
  }

  readSync(into: Uint8Array, position: number): number {
    if (!this.#device.supports.syncRead) throw unsupported('readSync')
    this.#device.checkAlive()
    this.#checkOpen('read')
    return this.#read(into, position)
  }

  readNow(into: Uint8Array, position: number): number | undefined {
    if (!this.#device.supports.readNow) throw unsupported('readNow')
    this.#device.checkAlive()
    this.#checkOpen('read')
    if (!this.#device.atHand(this.path, position, into.length)) return undefined
    this.#device.note('read', this.path, position, into.length)
    return this.#inode.read(into, position)
  }

  write(parts: readonly Uint8Array[], position: number): Promise<void> {
    return this.#run('write', () => this.#write(parts, position))
  }

  writeSync(parts: readonly Uint8Array[], position: number): void {
    if (!this.#device.supports.syncWrite) throw unsupported('writeSync')
    this.#device.checkAlive()
    this.#checkOpen('write')
    this.#write(parts, position)
  }

  /** What is written while the sync runs may be covered by it or not: here it is not. */
  async sync(): Promise<void> {
    assert(!this.#syncFailed, 'a sync that failed is tried again on the same handle')
    const covered = this.#inode.changes
    await this.#run('sync', () => {
      try {
        this.#device.note('sync', this.path)
      } catch (error) {
        this.#syncFailed = true
        this.#inode.failSync(covered, this.#device.failedSyncs)
        throw error
      }
      this.#inode.sync(covered)
    })
    await this.#device.afterSync()
  }

  async preallocate(start: number, limit: number): Promise<void> {
    if (limit > start) await this.write([new Uint8Array(limit - start)], start)
  }

  size(): Promise<number> {
    return this.#run('stat', () => {
      this.#device.note('stat', this.path)
      return this.#inode.length
    })
  }

  truncate(bytes: number): Promise<void> {
    return this.#run('truncate', () => {
      if (!this.#writable) throw failure('READ_ONLY', 'truncate', this.path)
      this.#device.note('truncate', this.path, bytes, 0, bytes - this.#inode.length)
      this.#inode.truncate(bytes)
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#inFlight === 0 ? Promise.resolve() : new Promise<void>((resolve) => (this.#idle = resolve))
    return this.#closing
  }

  #write(parts: readonly Uint8Array[], position: number): void {
    if (!this.#writable) throw failure('READ_ONLY', 'write', this.path)
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    try {
      this.#device.note('write', this.path, position, bytes, position + bytes - this.#inode.length, parts)
    } catch (error) {
      if (this.#device.failedWrites === 'some') this.#inode.writeSome(parts, position)
      throw error
    }
    const fault = this.#device.transferFault('write', this.path, position, bytes)
    if (fault === undefined) this.#inode.write(parts, position)
    else writeFaulty(this.#inode, parts, position, fault, this.path)
  }

  #read(into: Uint8Array, position: number): number {
    this.#device.note('read', this.path, position, into.length)
    const fault = this.#device.transferFault('read', this.path, position, into.length)
    return fault === undefined ? this.#inode.read(into, position) : readFaulty(this.#inode, into, position, fault)
  }

  async #run<T>(operation: OperationName, work: () => T): Promise<T> {
    this.#checkOpen(operation)
    this.#inFlight++
    try {
      await this.#device.delay()
      return work()
    } finally {
      this.#inFlight--
      if (this.#inFlight === 0) this.#idle?.()
    }
  }

  #checkOpen(operation: OperationName): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', `${operation} of ${this.path} after close`)
  }
}
