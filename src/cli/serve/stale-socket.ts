/** The file of a Unix socket whose server was killed: nobody listens on it, and nobody can. */

import { lstat, unlink } from 'node:fs/promises'
import { parseAddress } from '../../rpc/address.ts'
import { dialSocket } from '../../rpc/socket-transport.ts'
import { VarveError } from '../../kernel/errors.ts'

/** Removes it, where there is one. One that somebody listens on stays. @throws {VarveError} EXISTS — what is there is no socket */
export async function removeStaleSocket(address: string): Promise<void> {
  const parsed = parseAddress(address)
  if (parsed.type !== 'unix') return
  const found = await lstat(parsed.path).catch(() => undefined)
  if (found === undefined) return
  // The system calls that an address in use.
  if (!found.isSocket())
    throw new VarveError('EXISTS', `${parsed.path} is there, and is no socket`, { details: { path: parsed.path } })
  try {
    const wire = await dialSocket(address)(new AbortController().signal)
    wire.destroy()
  } catch {
    await unlink(parsed.path)
  }
}
