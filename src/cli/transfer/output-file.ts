/**
 * A file that an export writes. It gets its name when it is whole: what breaks off half-way leaves nothing that could be
 * taken for all of it. A pipe or a device is written to as it is.
 */

import { open, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { deviceError } from '../../fs/device-error.ts'
import { isCode } from '../../kernel/errors.ts'
import type { ByteSink } from '../byte-sink.ts'
import { UsageError } from '../usage-error.ts'

export class OutputFile implements ByteSink {
  readonly interactive = false
  readonly #path: string
  readonly #handle: FileHandle
  /** Where it is written meanwhile; undefined: in place. */
  readonly #partial: string | undefined

  private constructor(path: string, handle: FileHandle, partial: string | undefined) {
    this.#path = path
    this.#handle = handle
    this.#partial = partial
  }

  /** @throws {UsageError} it is there already, and `replace` is false; or its directory is not there */
  static async create(path: string, replace: boolean): Promise<OutputFile> {
    const found = await stat(path).catch(() => undefined)
    if (found?.isDirectory() === true) throw new UsageError(`${path} is a directory`)
    if (found !== undefined && !found.isFile()) return new OutputFile(path, await open(path, 'w'), undefined)
    if (found !== undefined && !replace) throw new UsageError(`${path} is there already: --force replaces it`)
    const partial = `${path}.part-${process.pid}`
    try {
      return new OutputFile(path, await open(partial, 'wx'), partial)
    } catch (error) {
      throw new UsageError(`${path} cannot be written: ${(error as Error).message}`)
    }
  }

  write(bytes: string | Uint8Array): Promise<void> {
    return this.#named(this.#handle.appendFile(bytes))
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  /** Makes it durable and gives it its name. */
  async finish(): Promise<void> {
    if (this.#partial !== undefined) await this.#named(this.#handle.sync())
    await this.#handle.close()
    if (this.#partial === undefined) return
    await this.#named(rename(this.#partial, this.#path))
    await this.#named(syncDirectory(dirname(this.#path))).catch((error: unknown) => {
      // One may write into a directory and not be let to read it.
      if (!isCode(error, 'PERMISSION_DENIED')) throw error
    })
  }

  /** Takes away what has been written. */
  async abort(): Promise<void> {
    await this.#handle.close()
    if (this.#partial !== undefined) await rm(this.#partial, { force: true })
  }

  /** The system names no file where one is full. */
  async #named(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      throw deviceError(error, 'write', this.#path)
    }
  }
}

/** Makes the names in it durable. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
