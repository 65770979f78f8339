/**
 * A journal that its service has let go of, or forgotten because it was started anew, opened again by the owner that has it.
 *
 * Nothing of this owner is on its way then. So where the log ends is where this owner knows it to end, unless something is lost
 * that was only written; and opening tells whether there is another owner, as it does at first.
 */

import { VarveError, isCode } from '../../kernel/errors.ts'
import type { JournalPosition } from '../../kernel/ids.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcConnection } from '../../rpc/rpc.ts'
import { JOURNAL_SERVICE } from './journal-service.ts'

export interface OpenedJournal {
  /** Its name at the service. */
  readonly key: string
  /** What was asked of the log. */
  readonly needed: JournalPosition | undefined
  readonly connection: RpcConnection
  readonly start: number
  readonly end: number
  readonly pendingBytesMax: number
  readonly storedBytes: number
}

/** How the same owner opens it. @returns the name by which the service knows it now */
export type OpenAgain = (needed: JournalPosition | undefined) => Promise<string>

export interface KnownLog {
  /** Nothing before is asked for any more. */
  readonly needed: JournalPosition | undefined
  /** Everything before was acknowledged, and nothing else was sent. */
  readonly end: number
}

/**
 * @returns its new name
 * @throws {VarveError} FENCED — there is another owner; OUTCOME_UNKNOWN — not all of it is there; what opening throws
 */
export async function reopenJournal(
  client: RpcClient,
  resumeMs: number,
  open: OpenAgain,
  { needed, end }: KnownLog,
): Promise<string> {
  const key = await open(needed)
  const found = await endOf(client, resumeMs, key, end)
  if (found === end) return key
  throw new VarveError('OUTCOME_UNKNOWN', `the log was to end at ${end}, and does not: open the shard again`, {
    details: { operation: 'append', expected: end, found },
  })
}

/** Undefined: before `end`, or far behind it. */
async function endOf(client: RpcClient, resumeMs: number, key: string, end: number): Promise<unknown> {
  try {
    const call = { service: JOURNAL_SERVICE, method: 'replay', parameters: [key, end], timeoutMs: 0 }
    return (await client.retry({ timeoutMs: resumeMs }, (connection) => connection.call(call))).value
  } catch (error) {
    // What was only written may be lost in a power cut: that is no damage. Where it is, opening the shard tells.
    if (isCode(error, 'JOURNAL_CORRUPT')) return undefined
    throw error
  }
}
