/**
 * A file that an export writes. It gets its name when it is whole: what breaks off half-way leaves nothing that could be
 * taken for all of it. A pipe or a device is written to as it is.
 */

import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { deviceError } from '../../fs/device-error.ts'
import { NodeProcessTable } from '../../fs/node-process-table.ts'
import { isCode } from '../../kernel/errors.ts'
import type { ByteSink } from '../byte-sink.ts'
import { UsageError } from '../usage-error.ts'

/** Behind the name of the file: who writes it, by number and start, as numbers are used again. */
const PART = /^\.varve-part-([0-9]{1,10})-([0-9]*)$/

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
    const { pid, startedAt } = new NodeProcessTable().self()
    const partial = `${path}.varve-part-${pid}-${startedAt}`
    await removeLeftovers(path)
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

/** Removes what exports to this name have left that were killed. What cannot be removed is in nobody's way. */
async function removeLeftovers(path: string): Promise<void> {
  const [folder, file] = [dirname(path), basename(path)]
  const processes = new NodeProcessTable()
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid, startedAt = ''] = (name.startsWith(file) ? PART.exec(name.slice(file.length)) : undefined) ?? []
    if (pid === undefined || processes.isAlive({ bootId: '', pid: Number(pid), startedAt })) continue
    await rm(join(folder, name), { force: true }).catch(() => undefined)
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
