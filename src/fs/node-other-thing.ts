/** What is in the place of a file or of a directory that is neither. */

import fs from 'node:fs'
import path from 'node:path'
import { VarveError } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { attempt } from './node-call.ts'

const KINDS: readonly (readonly [string, (stat: fs.Stats) => boolean])[] = [
  ['a directory', (stat) => stat.isDirectory()],
  ['a file', (stat) => stat.isFile()],
  ['a symbolic link', (stat) => stat.isSymbolicLink()],
  ['a pipe', (stat) => stat.isFIFO()],
  ['a socket', (stat) => stat.isSocket()],
  ['a device', (stat) => stat.isCharacterDevice() || stat.isBlockDevice()],
]

/**
 * Before the file is opened: opening a pipe waits for somebody at its other end. O_NONBLOCK and a look at what was opened
 * would do as well for us, but not for `io_uring`, whose reads of such a file fail where they would have waited.
 *
 * @throws {VarveError} PERMISSION_DENIED — there is something, and it is no file
 */
export function refuseOther(stat: fs.Stats, file: string): void {
  if (stat.isFile()) return
  const found = kindOf(stat)
  throw otherThing('PERMISSION_DENIED', 'open', file, found, `there is ${found} in its place`)
}

/**
 * Why the directory at `full` could not be made, or listed, where something is in its place or in that of one above it: the
 * system says only that there is something, or nothing. A link may lead to a directory; where it does not, it is what is in
 * the way.
 *
 * @param shown how errors name the directory
 */
export async function inTheWay(
  full: string,
  shown: string,
  operation: 'make directory' | 'list',
): Promise<VarveError | undefined> {
  for (let at = full; ; at = path.dirname(at)) {
    const stat = await attempt<fs.Stats>(operation, shown, (done) => fs.lstat(at, done)).catch(() => undefined)
    const led = await attempt<fs.Stats>(operation, shown, (done) => fs.stat(at, done)).catch(() => undefined)
    if (led?.isDirectory() === true) return undefined
    if (stat !== undefined) {
      const found = stat.isSymbolicLink() ? 'a symbolic link that leads to no directory' : kindOf(stat)
      return otherThing(
        operation === 'list' ? 'PERMISSION_DENIED' : 'EXISTS',
        operation,
        shown,
        found,
        `there is ${found} ${at === full ? 'in its place' : `at ${at}`}`,
      )
    }
    if (at === path.dirname(at)) return undefined
  }
}

/**
 * To the port, a file in the place of a directory is a directory that is missing.
 *
 * @param full where it should be
 * @throws {VarveError} PERMISSION_DENIED — there is something, and it is no directory
 */
export async function refuseNoDirectory(full: string, shown: string): Promise<void> {
  const other = await inTheWay(path.resolve(full), shown, 'list')
  if (other !== undefined) throw other
}

function kindOf(stat: fs.Stats): string {
  return KINDS.find(([, is]) => is(stat))?.[0] ?? 'no file'
}

function otherThing(code: ErrorCode, operation: string, shown: string, found: string, reason: string): VarveError {
  return new VarveError(code, `${operation} of ${shown} failed: ${reason}`, {
    details: { path: shown, operation, found },
  })
}
