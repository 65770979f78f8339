/** Ports of the loopback that nobody listens on now. */

import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

export async function freePorts(count: number): Promise<readonly number[]> {
  // All at once, or the same one might come twice.
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const STARTS_MAX = 3

/**
 * Starts a server on ports that were free a moment ago: somebody else may have them by the time they are taken.
 *
 * @param start with other ports each time; leaves nothing behind where it fails
 */
export async function startOnFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt === STARTS_MAX) throw error
    }
  }
}
