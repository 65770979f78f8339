/**
 * The file of a directory lock: who holds it, as five lines of text.
 *
 *      varve lock 1
 *      <boot id>
 *      <process number>
 *      <start time of the process>
 *      <nonce, 16 hexadecimal digits>
 *
 * Written aside, synced, and put in place by `link` or `rename`: whoever reads it finds it whole or not there. A disk
 * that lies about syncs may still leave it empty, cut short or all zeros after a power cut. No live process ever shows
 * such a file, so it counts as left behind. Anything else that cannot be read (damage, a newer version of this file) may
 * well be held: it is somebody's until a person removes it.
 *
 * Spec: docs/formats/lock.md.
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import type { ProcessIdentity } from './process-table.ts'

const FIRST_LINE = 'varve lock 1'
// The last one is empty: a whole file ends with a line feed.
const LINES = 6
const NONCE = /^[0-9a-f]{16}$/
const DIGITS = /^[0-9]{1,10}$/
// A boot id has 36 characters, the numbers 20 at most.
const FILE_BYTES_MAX = 512

/** What a lock file may hold instead of a holder: `torn` can only be stale, `unreadable` may be held. */
export type NoHolder = 'torn' | 'unreadable'

export interface LockHolder extends ProcessIdentity {
  readonly nonce: string
}

/** Creates the file at `path`, whole once this has resolved to it. */
export async function writeLockFile(device: Device, path: string, holder: LockHolder): Promise<DeviceFile> {
  const text = [FIRST_LINE, holder.bootId, holder.pid, holder.startedAt, holder.nonce, ''].join('\n')
  const file = await device.open(path, 'create')
  try {
    await file.write([new TextEncoder().encode(text)], 0)
    await file.sync()
    return file
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

/** Its holder, or why it names none; undefined where it is not there. */
export async function readLockFile(device: Device, path: string): Promise<LockHolder | NoHolder | undefined> {
  try {
    const file = await device.open(path, 'read')
    const bytes = new Uint8Array(FILE_BYTES_MAX)
    try {
      const length = await file.read(bytes, 0)
      return parse(new TextDecoder().decode(bytes.subarray(0, length)))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

function parse(text: string): LockHolder | NoHolder {
  const lines = text.split('\n')
  const [first = '', bootId = '', pid = '', startedAt = '', nonce = '', end] = lines
  if (/^\0*$/.test(text) || (lines.length < LINES && FIRST_LINE.startsWith(first))) return 'torn'
  const whole = first === FIRST_LINE && lines.length === LINES && end === ''
  if (!whole || !DIGITS.test(pid) || !NONCE.test(nonce)) return 'unreadable'
  return { bootId, pid: Number(pid), startedAt, nonce }
}
