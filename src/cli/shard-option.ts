/** The option by which commands say which shard of a directory they are about. */

import { isCode } from '../kernel/errors.ts'
import { shardId } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import { MAIN_SHARD } from '../local-layout.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandOption } from './command.ts'
import { UsageError } from './usage-error.ts'

export const SHARD_OPTION: CommandOption = {
  name: 'shard',
  value: 'NAME',
  help: 'which one, where it is not called main',
}

/** @throws {UsageError} no shard can have that name */
export function shardOf({ value }: CommandArguments): ShardId {
  const given = value('shard')
  if (given === undefined) return MAIN_SHARD
  try {
    return shardId(given)
  } catch (error) {
    if (!isCode(error, 'LIMIT_EXCEEDED')) throw error
    throw new UsageError(`--shard: ${error.message}`)
  }
}
