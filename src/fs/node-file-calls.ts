/** Calls of an open file through Node: a round trip to its thread pool each, and no read that is sure not to wait. */

import fs from 'node:fs'
import { NEVER_AT_HAND } from './file-calls.ts'
import type { FileCalls } from './file-calls.ts'
import { attempt } from './node-call.ts'

export class NodeFileCalls implements FileCalls {
  readonly readsNow = false

  read(fd: number, into: Uint8Array, position: number, path: string): Promise<number> {
    return attempt<number>('read', path, (callback) => fs.read(fd, into, 0, into.length, position, callback))
  }

  readNow(): number {
    return NEVER_AT_HAND
  }

  pause(): undefined {
    return undefined
  }

  readSync(fd: number, into: Uint8Array, position: number): number {
    return fs.readSync(fd, into, 0, into.length, position)
  }

  writeSync(fd: number, bytes: Uint8Array, position: number): number {
    return fs.writeSync(fd, bytes, 0, bytes.length, position)
  }

  sync(fd: number, path: string): Promise<void> {
    return attempt<void>('sync', path, (callback) => fs.fdatasync(fd, callback))
  }
}
