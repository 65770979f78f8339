/**
 * Addresses, as people write them:
 *
 *      unix:/run/varve/files.sock      a Unix socket
 *      tcp://127.0.0.1:4100            plain TCP; [::1] for IPv6, port 0 for any
 *      tls://files.example.org:4100    TCP with TLS 1.3
 */

export type Address =
  | { readonly type: 'unix'; readonly path: string }
  | { readonly type: 'tcp' | 'tls'; readonly host: string; readonly port: number }

const NETWORK_ADDRESS = /^(tcp|tls):\/\/(\[[0-9a-fA-F:.]+\]|[^:/[\]]+):([0-9]{1,5})$/
// Of `sun_path`, with its zero: Linux has 108, macOS 104.
const UNIX_PATH_BYTES_MAX = 103

/** @throws {RangeError} no address */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length)
    const bytes = new TextEncoder().encode(path).length
    if (bytes === 0 || bytes > UNIX_PATH_BYTES_MAX || path.includes('\0'))
      throw new RangeError(`the path of a Unix socket has 1…${UNIX_PATH_BYTES_MAX} bytes: ${text}`)
    return { type: 'unix', path }
  }
  const match = NETWORK_ADDRESS.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535)
    throw new RangeError(`an address is unix:PATH, tcp://HOST:PORT or tls://HOST:PORT, not '${text}'`)
  const [, type, host = ''] = match
  return { type: type as 'tcp' | 'tls', host: host.replace(/^\[|\]$/g, ''), port }
}

export function formatAddress(address: Address): string {
  if (address.type === 'unix') return `unix:${address.path}`
  const { type, host, port } = address
  return `${type}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** True for an address that leads to this machine and nowhere else. */
export function isLoopback(host: string): boolean {
  return host === '::1' || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/i.test(host)
}
