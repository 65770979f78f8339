/** A device whose every file has the same bytes: as little as a parser needs, so that a million cases take seconds. */

import { VarveError } from '../../src/kernel/errors.ts'
import type { Device, DeviceFile } from '../../src/kernel/device.ts'

export class BytesFile implements DeviceFile {
  readonly path: string
  readonly #bytes: Uint8Array

  constructor(path: string, bytes: Uint8Array) {
    this.path = path
    this.#bytes = bytes
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return Promise.resolve(this.readSync(into, position))
  }

  readSync(into: Uint8Array, position: number): number {
    const found = this.#bytes.subarray(position, position + into.length)
    into.set(found)
    return found.length
  }

  readNow(into: Uint8Array, position: number): number {
    return this.readSync(into, position)
  }

  size(): Promise<number> {
    return Promise.resolve(this.#bytes.length)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  write(): Promise<void> {
    return unsupported()
  }

  writeSync(): void {
    unsupported()
  }

  sync(): Promise<void> {
    return unsupported()
  }

  preallocate(): Promise<void> {
    return unsupported()
  }

  truncate(): Promise<void> {
    return unsupported()
  }
}

/** Opens `bytes`, whatever is asked for. */
export function deviceWith(bytes: Uint8Array): Device {
  const opening = { open: (path: string) => Promise.resolve(new BytesFile(path, bytes)) }
  return opening as unknown as Device
}

function unsupported(): never {
  throw new VarveError('UNSUPPORTED', 'these bytes can only be read')
}
