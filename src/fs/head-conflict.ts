/** The error of a head that is not as expected. */

import { VarveError } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'
import type { HeadVersion } from './fs.ts'

export function headConflict(shard: ShardId, expected: HeadVersion | undefined, found: string | undefined): VarveError {
  const message = `the head of ${shard} has version ${found ?? 'none'}, expected ${expected ?? 'none'}`
  return new VarveError('HEAD_CONFLICT', message, { details: { expected, found } })
}
