/**
 * Removing the oldest messages of a stream.
 *
 * A server of a cluster before 2.9.18 that starts anew makes the purges of its log once more, and then removes everything up to
 * what was the newest message at that time, whatever sequence was named (https://github.com/nats-io/nats-server/issues/4196).
 * There messages are removed one by one: that may be made again. One after the other, so that none is missing between two
 * that are there, whenever it ends.
 */

import type { StreamState } from './nats.ts'

/** The first version of servers that makes purges again as they were made. */
const PURGES_AGAIN_SAFELY = [2, 9, 18]

export interface Removal {
  /** Of the server; undefined: it has not said. */
  readonly version: string | undefined
  /** What the stream has, and on how many servers. */
  look(): Promise<{ readonly first: StreamState['first']; readonly replicas: number }>
  /** All before `sequence`. */
  purge(sequence: number): Promise<void>
  /** A message that is there. */
  remove(sequence: number): Promise<void>
}

/** @param version of the server; undefined: it has not said */
export function removesOneByOne(version: string | undefined, replicas: number): boolean {
  return replicas > 1 && isBefore(version, PURGES_AGAIN_SAFELY)
}

/** Removes messages before `sequence`. */
export async function removeBefore(sequence: number, stream: Removal): Promise<void> {
  // Nothing is before the first message; a server that is asked for that removes everything.
  if (sequence <= 1) return
  if (!isBefore(stream.version, PURGES_AGAIN_SAFELY)) return stream.purge(sequence)
  const { first, replicas } = await stream.look()
  if (!removesOneByOne(stream.version, replicas)) return stream.purge(sequence)
  for (let each = first; each < sequence; each++) await stream.remove(each)
}

/** One that has not said is taken for an old one. */
function isBefore(version: string | undefined, limit: readonly number[]): boolean {
  const numbers =
    /^v?(\d+)\.(\d+)\.(\d+)/
      .exec(version ?? '')
      ?.slice(1)
      .map(Number) ?? []
  for (const [index, least] of limit.entries()) {
    const number = numbers[index] ?? -1
    if (number !== least) return number < least
  }
  return false
}
