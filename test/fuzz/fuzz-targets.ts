/** Every parser of stored bytes, and of those that come over connections. */

import { databaseTargets } from './database-targets.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { fsTargets } from './fs-targets.ts'
import { journalTargets } from './journal-targets.ts'
import { rpcTargets } from './rpc-targets.ts'
import { shardTargets } from './shard-targets.ts'
import { sstTargets } from './sst-targets.ts'
import { wireTargets } from './wire-targets.ts'

export async function fuzzTargets(): Promise<readonly FuzzTarget[]> {
  return [
    ...(await journalTargets()),
    ...(await fsTargets()),
    ...(await shardTargets()),
    ...(await sstTargets()),
    ...wireTargets(),
    ...(await rpcTargets()),
    ...(await databaseTargets()),
  ]
}
