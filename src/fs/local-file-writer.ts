/**
 * A file being written to a local directory: unlisted until it is finished.
 *
 *      open ──write──► open ──finish──► finishing ──► finished
 *        └──── a write failed, or finish ────► failed
 *        └──── abort, from any but finished ────► aborted
 *
 * A write that failed has left a gap: nothing more is taken, and nothing is published.
 */

import { assert } from '../kernel/assert.ts'
import type { Device, DeviceFile } from '../kernel/device.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { HashStream } from '../kernel/hash.ts'
import type { FileName } from '../kernel/ids.ts'
import { joinPath } from './device-path.ts'
import type { FileWriter } from './fs.ts'
import { nameTaken } from './name-taken.ts'
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
  /** Called once, when nothing is left to abort. */
  readonly done: () => void
}

export class LocalFileWriter implements FileWriter {
  readonly name: FileName
  readonly #parts: LocalFileWriterParts
  readonly #path: string
  #bytes = 0
  #state: 'open' | 'finishing' | 'finished' | 'failed' | 'aborted' = 'open'
  #writing = false
  #finishing: Promise<FileRef> | undefined
  #aborting: Promise<void> | undefined

  constructor(parts: LocalFileWriterParts) {
    this.name = parts.name
    this.#parts = parts
    this.#path = joinPath(parts.directory, parts.name)
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
    } catch (error) {
      if (this.#state === 'open') this.#state = 'failed'
      throw error
    } finally {
      this.#writing = false
      pending.remove(bytes.length)
    }
  }

  async finish(): Promise<FileRef> {
    this.#checkOpen()
    assert(!this.#writing, 'finish while a write runs')
    this.#state = 'finishing'
    this.#finishing = this.#finish()
    return this.#finishing
  }

  /** Waits for a `finish()` that runs: what it has published stays. */
  abort(): Promise<void> {
    this.#aborting ??= this.#abort()
    return this.#aborting
  }

  async #finish(): Promise<FileRef> {
    const { file, device, directory, content, name, done } = this.#parts
    try {
      await unknownOnFailure(name, () => file.sync())
      await file.close()
      await this.#publish()
      // A leftover has a second name at worst. After this the file is finished, whatever becomes of that name.
      await device.unlink(this.#unfinished).catch(() => undefined)
      await unknownOnFailure(name, () => device.syncDirectory(directory))
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
    this.#state = 'finished'
    done()
    return { name, bytes: this.#bytes, checksum: formatHash64(content.digest()) }
  }

  async #publish(): Promise<void> {
    try {
      await this.#parts.device.link(this.#unfinished, this.#path)
    } catch (error) {
      throw isCode(error, 'EXISTS') ? nameTaken(this.name, error) : error
    }
  }

  async #abort(): Promise<void> {
    if (this.#finishing !== undefined) await this.#finishing.catch(() => undefined)
    if (this.#state === 'finished') return
    this.#state = 'aborted'
    const { file, device, done } = this.#parts
    try {
      await file.close()
    } finally {
      // A leftover that stays is told once, here, and goes at the next opening: it must not fail the store's close, too.
      done()
      await device.unlink(this.#unfinished).catch((error: unknown) => {
        if (!isCode(error, 'NOT_FOUND')) throw error
      })
    }
  }

  get #unfinished(): string {
    return `${this.#path}${UNFINISHED_SUFFIX}`
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
