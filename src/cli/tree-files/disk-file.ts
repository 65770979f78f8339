/** Reading one file of the input so that content and description belong together, and telling whether it changed since. */

import { closeSync, fstatSync, open, read } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { promisify } from 'node:util'
import { onDisk } from './input-tree.ts'
import type { TreePath } from './input-tree.ts'

const openFile = promisify(open)
const readFrom = promisify(read)

/** What is remembered of a file besides its content. */
export interface FileStamp {
  readonly size: number
  /** Type and permission bits. */
  readonly mode: number
  /** Milliseconds since 1970, whole. */
  readonly mtimeMs: number
}

export interface DiskFile {
  readonly stamp: FileStamp
  readonly content: Buffer
}

/** The file would not hold still. */
export class ChangingFileError extends Error {
  override readonly name = 'ChangingFileError'
}

// A file that is being written settles, or is a log: then there is no content that belongs to one moment.
const ATTEMPTS = 3

/**
 * Opening and reading may wait for the disk and go to Node's file threads; `fstat` and `close` do not wait and are done
 * here, which costs less than a way to a thread and back.
 *
 * @throws {ChangingFileError} it changed while it was read, every time; or what the system says
 */
export async function readDiskFile(root: string, path: TreePath): Promise<DiskFile> {
  const file = await openFile(onDisk(root, path), 'r')
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const before = fstatSync(file, { bigint: true })
      const content = await readWhole(file, Number(before.size))
      const after = fstatSync(file, { bigint: true })
      if (content.length === Number(after.size) && isSameMoment(before, after)) {
        return { stamp: stampOf(after), content }
      }
    }
    throw new ChangingFileError('the file changes while it is read')
  } finally {
    closeSync(file)
  }
}

/** Whether size and modification time are those of then. */
export function isSameContentStamp(a: FileStamp, b: FileStamp): boolean {
  // Tools that set a time keep milliseconds or less of it, rounded one way or the other.
  return a.size === b.size && Math.abs(a.mtimeMs - b.mtimeMs) <= 1
}

/** One byte more than expected is asked for, so that a file that has grown is noticed. */
async function readWhole(file: number, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(size + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await readFrom(file, buffer, length, buffer.length - length, length)
    length += bytesRead
    // The usual end of a file that has not grown; the length is compared again afterwards.
    if (bytesRead === 0 || length === size) break
  }
  return buffer.subarray(0, length)
}

function isSameMoment(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs
}

function stampOf({ size, mode, mtimeMs }: BigIntStats): FileStamp {
  return { size: Number(size), mode: Number(mode), mtimeMs: Number(mtimeMs) }
}
