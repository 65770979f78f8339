/** Messages that somebody has been shown, and those that a stream has now. */

import { equalBytes } from '../kernel/bytes.ts'
import { VarveError } from '../kernel/errors.ts'
import type { StoredMessage } from './nats.ts'

/** @throws {VarveError} IO_FAILED — they are not the same, each in its place */
export function checkSameMessages(
  stream: string,
  found: readonly StoredMessage[],
  shown: readonly StoredMessage[],
): void {
  const isSame =
    found.length === shown.length &&
    found.every(({ sequence, data }, index) => {
      const given = shown[index]
      return given?.sequence === sequence && equalBytes(given.data, data)
    })
  if (!isSame) throw otherMessages(stream)
}

export function otherMessages(stream: string): VarveError {
  return new VarveError('IO_FAILED', `there are other messages in ${stream} by now: look at them again`, {
    details: { path: stream, operation: 'passOver' },
  })
}
