/** What whoever calls a shard that was closed hears. */

import { VarveError } from '../kernel/errors.ts'

export function closed(): VarveError {
  return new VarveError('CLOSED', 'the shard is closed')
}
