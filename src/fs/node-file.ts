/** An open file of the Node device. Calls move all their bytes, or say why not. */

import fs from 'node:fs'
import { VarveError } from '../kernel/errors.ts'
import type { DeviceFile } from '../kernel/device.ts'
import { KIB, MIB } from '../kernel/limits.ts'
import { deviceError } from './device-error.ts'
import { NEVER_AT_HAND, NOT_AT_HAND } from './file-calls.ts'
import type { FileCalls } from './file-calls.ts'
import { attempt } from './node-call.ts'
import { SyncTurns } from './sync-turns.ts'

// The system takes at most this many parts in one request (IOV_MAX).
const PARTS_MAX = 1024
const ZEROS = new Uint8Array(1 * MIB)
// Copying more than this from the system's cache holds the thread longer than a round trip to another one costs.
const AT_ONCE_BYTES_MAX = 128 * KIB

export class NodeFile implements DeviceFile {
  readonly path: string
  readonly #fd: number
  readonly #calls: FileCalls
  readonly #writable: boolean
  readonly #syncs: SyncTurns
  /** False once the file's system could not tell what is at hand. */
  #readsNow: boolean
  #inFlight = 0
  #idle: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(fd: number, path: string, writable: boolean, calls: FileCalls) {
    this.#fd = fd
    this.#calls = calls
    this.#writable = writable
    this.#readsNow = calls.readsNow
    this.path = path
    this.#syncs = new SyncTurns(() => calls.sync(fd, path))
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#run('read', async () => {
      let done = 0
      if (this.#readsNow && into.length <= AT_ONCE_BYTES_MAX) {
        const count = this.#readNow(into, position)
        if (count !== undefined) {
          const pause = this.#calls.pause()
          if (pause !== undefined) await pause
          return count
        }
      }
      while (done < into.length) {
        const left = done === 0 ? into : into.subarray(done)
        const count = await this.#calls.read(this.#fd, left, position + done, this.path)
        if (count === 0) break
        done += count
      }
      return done
    })
  }

  readNow(into: Uint8Array, position: number): number | undefined {
    this.#checkOpen('read')
    if (!this.#calls.readsNow) {
      throw new VarveError('UNSUPPORTED', `${this.path}: no read is sure not to wait`, { details: { path: this.path } })
    }
    return this.#readsNow ? this.#readNow(into, position) : undefined
  }

  readSync(into: Uint8Array, position: number): number {
    this.#checkOpen('read')
    try {
      let done = 0
      while (done < into.length) {
        const count = this.#calls.readSync(this.#fd, done === 0 ? into : into.subarray(done), position + done)
        if (count === 0) break
        done += count
      }
      return done
    } catch (error) {
      throw deviceError(error, 'read', this.path)
    }
  }

  write(parts: readonly Uint8Array[], position: number): Promise<void> {
    return this.#run('write', () => this.#write(parts, position))
  }

  writeSync(parts: readonly Uint8Array[], position: number): void {
    this.#checkOpen('write')
    this.#checkWritable('write')
    try {
      const [first] = parts
      if (parts.length === 1 && first !== undefined) {
        for (let done = 0; done < first.length;) {
          const count = this.#calls.writeSync(this.#fd, done === 0 ? first : first.subarray(done), position + done)
          this.#checkProgress(count)
          done += count
        }
        return
      }
      let left = parts.filter((part) => part.length > 0)
      let at = position
      while (left.length > 0) {
        const count = fs.writevSync(this.#fd, left.slice(0, PARTS_MAX), at)
        this.#checkProgress(count)
        at += count
        left = skip(left, count)
      }
    } catch (error) {
      throw deviceError(error, 'write', this.path)
    }
  }

  /** `fdatasync`: data and, where it has changed, the length; not the times. */
  sync(): Promise<void> {
    return this.#run('sync', () => this.#syncs.join())
  }

  preallocate(start: number, limit: number): Promise<void> {
    return this.#run('write', async () => {
      for (let at = start; at < limit; at += ZEROS.length)
        await this.#write([ZEROS.subarray(0, Math.min(ZEROS.length, limit - at))], at)
    })
  }

  /** What the system knows of a file that is open: asking does not wait for the disk. */
  async size(): Promise<number> {
    this.#checkOpen('stat')
    try {
      return fs.fstatSync(this.#fd).size
    } catch (error) {
      throw deviceError(error, 'stat', this.path)
    }
  }

  truncate(bytes: number): Promise<void> {
    return this.#run('truncate', () => {
      this.#checkWritable('truncate')
      return attempt<void>('truncate', this.path, (callback) => fs.ftruncate(this.#fd, bytes, callback))
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    await attempt<void>('close', this.path, (done) => fs.close(this.#fd, done))
  }

  #readNow(into: Uint8Array, position: number): number | undefined {
    let done = 0
    while (done < into.length) {
      const left = done === 0 ? into : into.subarray(done)
      const count = this.#calls.readNow(this.#fd, left, position + done, this.path)
      if (count === NEVER_AT_HAND) this.#readsNow = false
      if (count === NEVER_AT_HAND || count === NOT_AT_HAND) return undefined
      if (count === 0) break
      done += count
    }
    return done
  }

  async #write(parts: readonly Uint8Array[], position: number): Promise<void> {
    this.#checkWritable('write')
    let left = parts.filter((part) => part.length > 0)
    let at = position
    while (left.length > 0) {
      const count = await attempt<number>('write', this.path, (callback) =>
        fs.writev(this.#fd, left.slice(0, PARTS_MAX), at, callback),
      )
      this.#checkProgress(count)
      at += count
      left = skip(left, count)
    }
  }

  /** `close` waits until `work` is done. */
  async #run<T>(operation: string, work: () => Promise<T>): Promise<T> {
    this.#checkOpen(operation)
    this.#inFlight++
    try {
      return await work()
    } finally {
      this.#inFlight--
      if (this.#inFlight === 0) this.#idle?.()
    }
  }

  #checkOpen(operation: string): void {
    if (this.#closing !== undefined) {
      throw new VarveError('CLOSED', `${operation} of ${this.path} after close`, {
        details: { path: this.path, operation },
      })
    }
  }

  #checkWritable(operation: string): void {
    if (this.#writable) return
    throw new VarveError('READ_ONLY', `${operation} of ${this.path}: it was opened for reading`, {
      details: { path: this.path, operation },
    })
  }

  #checkProgress(count: number): void {
    if (count > 0) return
    throw new VarveError('IO_FAILED', `write of ${this.path} made no progress`, {
      details: { path: this.path, operation: 'write' },
    })
  }
}

/** What is left of `parts` after their first `count` bytes. */
function skip(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let index = 0
  let left = count
  while (index < parts.length && left >= (parts[index] as Uint8Array).length)
    left -= (parts[index++] as Uint8Array).length
  const rest = parts.slice(index)
  if (left > 0) rest[0] = (rest[0] as Uint8Array).subarray(left)
  return rest
}
