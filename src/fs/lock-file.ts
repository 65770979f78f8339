/**
 * The file of a directory lock: who holds it, as five lines of text.
 *
 *      varve lock 1
 *      <boot id>
 *      <process number>
 *      <start time of the process>
 *      <nonce, 16 hexadecimal digits>
 *
 * Written aside and put in place by `link` or `rename`, so whoever reads it finds it whole or not there. It is not
 * synced: after a power cut it may be torn, and then nobody who could have held it is alive.
 *
 * Spec: docs/formats/lock.md.
 */

import type { Device } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import type { ProcessIdentity } from './process-table.ts'

const FIRST_LINE = 'varve lock 1'
const NONCE = /^[0-9a-f]{16}$/
const DIGITS = /^[0-9]{1,10}$/
// A boot id has 36 characters, the numbers 20 at most.
const FILE_BYTES_MAX = 512

export interface LockHolder extends ProcessIdentity {
  readonly nonce: string
}

/** Creates the file at `path`, whole once this has resolved. */
export async function writeLockFile(device: Device, path: string, holder: LockHolder): Promise<void> {
  const text = [FIRST_LINE, holder.bootId, holder.pid, holder.startedAt, holder.nonce, ''].join('\n')
  const file = await device.open(path, 'create')
  try {
    await file.write([new TextEncoder().encode(text)], 0)
  } finally {
    await file.close()
  }
}

/** Its holder; `torn` where it names none; undefined where it is not there. */
export async function readLockFile(device: Device, path: string): Promise<LockHolder | 'torn' | undefined> {
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

function parse(text: string): LockHolder | 'torn' {
  const [first, bootId = '', pid = '', startedAt = '', nonce = '', end, more] = text.split('\n')
  if (first !== FIRST_LINE || end !== '' || more !== undefined) return 'torn'
  if (!DIGITS.test(pid) || !NONCE.test(nonce)) return 'torn'
  return { bootId, pid: Number(pid), startedAt, nonce }
}
