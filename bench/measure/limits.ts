/** What this machine can do at most, without any store: the walls that every figure of the report stands in front of. */

import {
  closeSync,
  copyFileSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  read,
  readSync,
  rmSync,
  write,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dropPageCache } from './page-cache.ts'

const MIB = 1024 * 1024
const BLOCK_BYTES = 4096
/** A put of 16 + 100 bytes with what a journal writes around it. */
const RECORD_BYTES = 140
const FILE_MIB = 256
const COPY_MIB = 16

export interface Limit {
  readonly name: string
  readonly title: string
  readonly unit: string
  /** Per second. */
  measure(directory: string, budgetMs: number): Promise<number>
}

const asyncWrite = promisify(write)
const asyncRead = promisify(read)
const asyncDatasync = promisify(fdatasync)

/** How often `action` runs in a second. */
async function rate(
  budgetMs: number,
  perLook: number,
  action: (round: number) => Promise<unknown> | void,
): Promise<number> {
  const startMs = performance.now()
  let done = 0
  while (performance.now() - startMs < budgetMs) {
    for (let look = 0; look < perLook; look++, done++) {
      const pending = action(done)
      if (pending !== undefined) await pending
    }
  }
  return done / ((performance.now() - startMs) / 1000)
}

async function withFile<T>(directory: string, action: (file: number, path: string) => Promise<T>): Promise<T> {
  const path = join(directory, 'limit')
  const file = openSync(path, 'w+')
  try {
    return await action(file, path)
  } finally {
    closeSync(file)
    rmSync(path)
  }
}

function writeWhole(file: number): void {
  const piece = Buffer.alloc(MIB, 7)
  for (let at = 0; at < FILE_MIB; at++) writeSync(file, piece, 0, MIB, at * MIB)
}

/** Writing a record and syncing it, in a loop. `preallocated`: over bytes that are there, so that no size changes. */
function syncing(preallocated: boolean, blocking: boolean): Limit['measure'] {
  return (directory, budgetMs) =>
    withFile(directory, async (file) => {
      if (preallocated) {
        writeWhole(file)
        fsyncSync(file)
      }
      const record = Buffer.alloc(RECORD_BYTES, 7)
      return rate(budgetMs, 1, (round) => {
        const at = (round * RECORD_BYTES) % (FILE_MIB * MIB - RECORD_BYTES)
        if (!blocking) return asyncWrite(file, record, 0, RECORD_BYTES, at).then(() => asyncDatasync(file))
        writeSync(file, record, 0, RECORD_BYTES, at)
        fdatasyncSync(file)
        return undefined
      })
    })
}

export const LIMITS: readonly Limit[] = [
  {
    name: 'fdatasync',
    title: `write ${RECORD_BYTES} B and fdatasync, preallocated file`,
    unit: 'syncs/s',
    measure: syncing(true, true),
  },
  {
    name: 'fdatasync-grow',
    title: `write ${RECORD_BYTES} B and fdatasync, growing file`,
    unit: 'syncs/s',
    measure: syncing(false, true),
  },
  {
    name: 'fdatasync-async',
    title: 'the same, preallocated, on the thread pool',
    unit: 'syncs/s',
    measure: syncing(true, false),
  },
  {
    name: 'write',
    title: `sequential write of ${FILE_MIB} MiB, synced`,
    unit: 'MiB/s',
    measure: (directory) =>
      withFile(directory, async (file) => {
        const startMs = performance.now()
        writeWhole(file)
        fsyncSync(file)
        return Promise.resolve(FILE_MIB / ((performance.now() - startMs) / 1000))
      }),
  },
  {
    name: 'read-disk',
    title: `sequential read of ${FILE_MIB} MiB, page cache dropped (where permitted)`,
    unit: 'MiB/s',
    measure: (directory) => reading(directory, true),
  },
  {
    name: 'read-cached',
    title: `sequential read of ${FILE_MIB} MiB from the page cache`,
    unit: 'MiB/s',
    measure: (directory) => reading(directory, false),
  },
  {
    name: 'copy',
    title: `memory copy of ${COPY_MIB} MiB`,
    unit: 'MiB/s',
    measure: async (_directory, budgetMs) => {
      const [from, to] = [Buffer.alloc(COPY_MIB * MIB, 7), Buffer.alloc(COPY_MIB * MIB)]
      return COPY_MIB * (await rate(budgetMs, 4, () => void from.copy(to)))
    },
  },
  {
    name: 'syscall',
    title: 'fstatSync: a system call that does nothing, through Node',
    unit: 'calls/s',
    measure: (directory, budgetMs) => withFile(directory, (file) => rate(budgetMs, 256, () => void fstatSync(file))),
  },
  {
    name: 'read-block',
    title: 'readSync of 4 KiB from the page cache',
    unit: 'reads/s',
    measure: (directory, budgetMs) =>
      withFile(directory, (file) => {
        writeWhole(file)
        const block = Buffer.alloc(BLOCK_BYTES)
        const blocks = (FILE_MIB * MIB) / BLOCK_BYTES
        return rate(
          budgetMs,
          64,
          (round) => void readSync(file, block, 0, BLOCK_BYTES, ((round * 7919) % blocks) * BLOCK_BYTES),
        )
      }),
  },
  {
    name: 'read-block-async',
    title: 'read of 4 KiB from the page cache on the thread pool',
    unit: 'reads/s',
    measure: (directory, budgetMs) =>
      withFile(directory, (file) => {
        writeWhole(file)
        const block = Buffer.alloc(BLOCK_BYTES)
        const blocks = (FILE_MIB * MIB) / BLOCK_BYTES
        return rate(budgetMs, 16, (round) =>
          asyncRead(file, block, 0, BLOCK_BYTES, ((round * 7919) % blocks) * BLOCK_BYTES),
        )
      }),
  },
]

function reading(directory: string, dropped: boolean): Promise<number> {
  return withFile(directory, async (file, path) => {
    writeWhole(file)
    fsyncSync(file)
    // A copy, because a file that is open keeps its pages.
    const other = `${path}-copy`
    copyFileSync(path, other)
    if (dropped) dropPageCache()
    const copy = openSync(other, 'r')
    const piece = Buffer.alloc(MIB)
    const startMs = performance.now()
    for (let at = 0; at < FILE_MIB; at++) readSync(copy, piece, 0, MIB, at * MIB)
    const perSecond = FILE_MIB / ((performance.now() - startMs) / 1000)
    closeSync(copy)
    rmSync(other)
    return Promise.resolve(perSecond)
  })
}
