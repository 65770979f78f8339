/** The file of a Unix socket whose server was killed: nobody listens on it, and nobody can. */

import { lstat, unlink } from 'node:fs/promises'
import { parseAddress } from '../../rpc/address.ts'
import { dialSocket } from '../../rpc/socket-transport.ts'

/** Removes it, where there is one. One that somebody listens on, and any other file, stays. */
export async function removeStaleSocket(address: string): Promise<void> {
  const parsed = parseAddress(address)
  if (parsed.type !== 'unix') return
  try {
    if (!(await lstat(parsed.path)).isSocket()) return
  } catch {
    return
  }
  try {
    const wire = await dialSocket(address)(new AbortController().signal)
    wire.destroy()
  } catch {
    await unlink(parsed.path)
  }
}
