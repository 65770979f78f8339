/** A file being written to a local directory: unlisted until it is finished. */

import { assert } from '../kernel/assert.ts'
import type { Device, DeviceFile } from '../kernel/device.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { HashStream } from '../kernel/hash.ts'
import type { FileName } from '../kernel/ids.ts'
import { joinPath } from './device-path.ts'
import type { FileWriter } from './fs.ts'
import type { PendingBytes } from './pending-bytes.ts'

/** Upper case: no file name can end so. */
export const UNFINISHED_SUFFIX = '.UNFINISHED'

export interface LocalFileWriterParts {
  readonly name: FileName
  readonly file: DeviceFile
  readonly device: Device
  readonly directory: string
  readonly content: HashStream
  readonly pending: PendingBytes
  readonly done: () => void
}

export class LocalFileWriter implements FileWriter {
  readonly name: FileName
  readonly #parts: LocalFileWriterParts
  #bytes = 0
  #state: 'open' | 'finishing' | 'finished' | 'aborted' = 'open'
  #writing = false

  constructor(parts: LocalFileWriterParts) {
    this.name = parts.name
    this.#parts = parts
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    assert(!this.#writing, 'writes to one file overlap')
    this.#writing = true
    const { file, content, pending } = this.#parts
    const position = this.#bytes
    this.#bytes += bytes.length
    pending.add(bytes.length)
    try {
      content.update(bytes)
      await file.write([bytes], position)
    } finally {
      this.#writing = false
      pending.remove(bytes.length)
    }
  }

  async finish(): Promise<FileRef> {
    this.#checkOpen()
    this.#state = 'finishing'
    const { file, device, directory, content, name, done } = this.#parts
    await unknownOnFailure(name, () => file.sync())
    await file.close()
    const path = joinPath(directory, name)
    try {
      await device.link(`${path}${UNFINISHED_SUFFIX}`, path)
    } catch (error) {
      if (!isCode(error, 'EXISTS')) throw error
      throw new VarveError('EXISTS', `the file name ${name} has been used`, { cause: error, details: { name } })
    }
    await device.unlink(`${path}${UNFINISHED_SUFFIX}`)
    await unknownOnFailure(name, () => device.syncDirectory(directory))
    this.#state = 'finished'
    done()
    return { name, bytes: this.#bytes, checksum: formatHash64(content.digest()) }
  }

  async abort(): Promise<void> {
    if (this.#state === 'finished' || this.#state === 'aborted') return
    this.#state = 'aborted'
    const { file, device, directory, name, done } = this.#parts
    done()
    await file.close()
    await device.unlink(`${joinPath(directory, name)}${UNFINISHED_SUFFIX}`).catch((error: unknown) => {
      if (!isCode(error, 'NOT_FOUND')) throw error
    })
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new VarveError('CLOSED', `the writer of ${this.name} is ${this.#state}`)
  }
}

/** A sync that failed is never tried again: the system may have dropped the pages. */
async function unknownOnFailure(name: FileName, sync: () => Promise<void>): Promise<void> {
  try {
    await sync()
  } catch (cause) {
    throw new VarveError('OUTCOME_UNKNOWN', `${name} could not be synced: it may or may not be there`, {
      cause,
      details: { operation: 'sync', name },
    })
  }
}
