/** A read that is under way, of a shard that may have been taken over meanwhile. */

import { abortable } from '../../kernel/abortable.ts'
import { isCode } from '../../kernel/errors.ts'

interface Owned {
  readonly readOnly: boolean
  /** Rejects with FENCED where another owner has taken the shard. */
  barrier(): Promise<void>
}

/** `read`, once the shard is known to have had no other owner at the time. The barrier comes after what it vouches for. */
export async function freshRead<T>(
  read: Promise<T>,
  shard: Owned,
  options: { readonly signal?: AbortSignal } | undefined,
): Promise<T> {
  const found = await read
  await abortable(shard.barrier(), options?.signal)
  return found
}

/**
 * `read`, which is in `underway` until it settles, and says FENCED where a file is missing because the shard has another
 * owner, who removes what it does not need: where this one still is the owner, it is damage.
 */
export function trackedRead<T>(read: Promise<T>, underway: Set<Promise<unknown>>, shard: Owned): Promise<T> {
  const reading = read.catch(async (error: unknown): Promise<T> => {
    if (isCode(error, 'FILE_MISSING') && !shard.readOnly) await shard.barrier()
    throw error
  })
  underway.add(reading)
  const done = (): void => void underway.delete(reading)
  reading.then(done, done)
  return reading
}
