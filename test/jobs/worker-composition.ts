/**
 * What the workers of the scheduler's tests are made of: files in a folder and the system's clock, as plain as can be, so
 * that these tests depend on no implementation of another port. Durability is not what they are about.
 */

import {
  appendFileSync,
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { VarveError } from '../../src/kernel/errors.ts'
import { formatHash64, loadHash } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { fileName } from '../../src/kernel/ids.ts'
import type { FileName } from '../../src/kernel/ids.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Lz4 } from '../../src/kernel/lz4.ts'
import type { FileRef } from '../../src/kernel/file-ref.ts'
import type { FileReader, FileStore, FileWriter } from '../../src/fs/fs.ts'
import type { FileStoreFactory, HandlerExport, WorkerComposition } from '../../src/jobs/index.ts'
import { TEST_HANDLERS } from '../../src/testing/job-handlers.ts'

export function testComposition(folder: string): WorkerComposition {
  const module = import.meta.url
  return {
    files: { module, export: 'openFolder', options: { folder } },
    clock: { module, export: 'systemClock' },
    handlers: {
      [TEST_HANDLERS]: new URL('../../src/testing/job-handlers.js', module).href,
      'varve-test/exits': module,
      'varve-test/lz4': module,
      'varve-test/steps': module,
    },
  }
}

/** Ends its thread with exit code 7. */
export const exit: HandlerExport = {
  version: 1,
  run: async () => process.exit(7),
}

/** Answers, and ends its thread behind that. */
export const exitLater: HandlerExport = {
  version: 1,
  async run() {
    setTimeout(() => process.exit(7), 20)
    return { outputs: [], statistics: { threadId } }
  },
}

/** Says on which thread it ran, and how far that stands back. */
export const thread: HandlerExport = {
  version: 1,
  run: async () => ({ outputs: [], statistics: { threadId, nice: getPriority(0) } }),
}

/** Throws where no promise catches it. */
export const explode: HandlerExport = {
  version: 1,
  run: () =>
    new Promise(() =>
      setTimeout(() => {
        throw new Error('exploded')
      }),
    ),
}

/** Works in small steps for so many milliseconds; says how long the longest pause between two was. */
export const steps: HandlerExport = {
  version: 1,
  async run({ parameters }, context) {
    const startMs = performance.now()
    let longestMs = 0
    while (performance.now() - startMs < Number(parameters)) {
      const beforeMs = performance.now()
      await context.pause()
      longestMs = Math.max(longestMs, performance.now() - beforeMs)
    }
    return { outputs: [], statistics: { longestMs } }
  },
}

/** Never pauses again, and never ends. */
export const hang: HandlerExport = {
  version: 1,
  run: async (_spec, context) => {
    await (await context.files.create(context.outputName('txt'))).finish()
    for (;;);
  },
}

/** How many bytes the component for LZ4 that jobs are handed says it wrote; -1: they are handed none. */
export const lz4Bytes: HandlerExport = {
  version: 1,
  run: async (_spec, { lz4 }) => {
    const bytes = new Uint8Array(16)
    return { outputs: [], statistics: { bytes: lz4?.encode(bytes, 0, 16, bytes, 0) ?? -1 } }
  },
}

/** Adds a line to a file whenever it is called. */
export function noteJob(options: unknown): void {
  appendFileSync((options as { readonly path: string }).path, 'a job has ended\n')
}

/** Encodes anything to 7 bytes. */
export function openTestLz4(): Lz4 {
  return { encode: () => 7, decode: () => false, decodeRowBlock: () => false }
}

export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(delayMs, task) {
      const timer = setTimeout(task, delayMs).unref()
      return { cancel: () => clearTimeout(timer) }
    },
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

export const openFolder: FileStoreFactory = (options, { hash }) =>
  new FolderFiles((options as { folder: string }).folder, hash)

export async function openTestFiles(folder: string): Promise<FileStore> {
  return new FolderFiles(folder, await loadHash())
}

class FolderFiles implements FileStore {
  readonly name = 'folder'
  readonly supports = { syncRead: false, readNow: false }
  readonly pendingBytes = 0
  readonly pendingBytesMax = 1
  readonly #folder: string
  readonly #hash: Hash

  constructor(folder: string, hash: Hash) {
    this.#folder = folder
    this.#hash = hash
    mkdirSync(join(folder, 'unfinished'), { recursive: true })
  }

  async create(name: FileName): Promise<FileWriter> {
    const hash = this.#hash
    const unfinished = join(this.#folder, 'unfinished', name)
    const finished = join(this.#folder, name)
    const fd = openSync(unfinished, 'w')
    let open = true
    function end(): void {
      if (open) closeSync(fd)
      rmSync(unfinished, { force: true })
      open = false
    }
    return {
      name,
      get bytes(): number {
        return fstatSync(fd).size
      },
      write: async (bytes) => void writeSync(fd, bytes),
      async finish() {
        try {
          linkSync(unfinished, finished)
        } catch (error) {
          throw new VarveError('EXISTS', `${name} is there`, { cause: error })
        }
        end()
        const content = readFileSync(finished)
        return { name, bytes: content.length, checksum: formatHash64(hash.hash64(content, 0n)) }
      },
      abort: async () => end(),
    }
  }

  async open(ref: FileRef): Promise<FileReader> {
    const path = join(this.#folder, ref.name)
    if (statSync(path, { throwIfNoEntry: false })?.size !== ref.bytes) {
      throw new VarveError('FILE_MISSING', `${ref.name} is not there`, { details: { file: ref.name } })
    }
    let fd: number | undefined = openSync(path, 'r')
    return {
      ref,
      async read(offset, length) {
        const bytes = new Uint8Array(length)
        readSync(fd as number, bytes, 0, length, offset)
        return bytes
      },
      readSync: wouldBlock,
      readNow: () => undefined,
      async close() {
        if (fd !== undefined) closeSync(fd)
        fd = undefined
      },
    }
  }

  openSync(): FileReader {
    return wouldBlock()
  }

  async list(prefix = ''): Promise<{ name: FileName; bytes: number }[]> {
    const names = readdirSync(this.#folder, { withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.name.startsWith(prefix),
    )
    return names.map(({ name }) => ({ name: fileName(name), bytes: statSync(join(this.#folder, name)).size }))
  }

  async remove(names: readonly FileName[]): Promise<void> {
    for (const name of names) rmSync(join(this.#folder, name), { force: true })
  }

  async ready(): Promise<void> {}

  async freeBytes(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {}
}

function wouldBlock(): never {
  throw new VarveError('WOULD_BLOCK', 'asynchronous reads only')
}
