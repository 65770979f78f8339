/** Where a PostgreSQL server is: what is no address is said at once, in words, and without what is secret in it. */

import pg from 'pg'

/** Where the server is, and as whom. What is missing is taken from the environment (`PGHOST`, `PGUSER`, …), as by `psql`. */
export interface PostgresAddress {
  /** Such as `postgres://user:password@host:5432/database`. Instead of what follows but `ssl`. */
  readonly connectionString?: string
  /** A name or address; a folder for a Unix socket. */
  readonly host?: string
  /** 1 … 65,535. Default: that of `PGPORT`, or 5,432. */
  readonly port?: number
  /** Default: that of `PGDATABASE`, or the name of the user. */
  readonly database?: string
  /** Default: that of `PGUSER`, or of this process's user. */
  readonly user?: string
  /** Asked for at every connection where it is a function. */
  readonly password?: string | (() => Promise<string>)
  /** As of `tls.connect`; true: with the authorities of this machine. Default: not encrypted. */
  readonly ssl?:
    | boolean
    | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly rejectUnauthorized?: boolean }
}

const NAMES = ['connectionString', 'host', 'port', 'database', 'user', 'password', 'ssl']
const SCHEMES = /^(?:postgres|postgresql|socket):|^\//i

/** @throws {TypeError} naming what is wrong; never the string itself, which may have a password in it */
export function checkAddress(address: PostgresAddress): PostgresAddress {
  if (typeof address !== 'object' || address === null)
    throw new TypeError('address must be an object, such as { connectionString: "postgres://user@host/database" }')
  for (const name of Object.keys(address))
    if (!NAMES.includes(name)) throw new TypeError(`unknown option address.${name}; there are ${NAMES.join(', ')}`)
  const { connectionString, port } = address
  for (const name of ['connectionString', 'host', 'database', 'user'] as const)
    if (address[name] !== undefined && typeof address[name] !== 'string')
      throw new TypeError(`address.${name} must be a string`)
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
    throw new TypeError(`address.port must be 1…65535, got ${port}`)
  if (connectionString !== undefined && !SCHEMES.test(connectionString))
    throw new TypeError(
      'address.connectionString must begin with postgres://, postgresql:// or socket:, such as postgres://user@host:5432/database',
    )
  // The client would go by the string alone, and ask for no password.
  for (const name of ['host', 'port', 'database', 'user', 'password'] as const)
    if (connectionString !== undefined && address[name] !== undefined)
      throw new TypeError(
        `address.${name} is of no use beside connectionString: write it there, or give its parts instead`,
      )
  const reason = whyUnreadable(address)
  if (reason !== undefined)
    throw new TypeError(`address cannot be used: ${reason}; such as postgres://user@host:5432/database`)
  return address
}

/** The client's words alone: its error may have the string with it. */
function whyUnreadable(address: PostgresAddress): string | undefined {
  try {
    clientOf(address, {})
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'it cannot be read'
  }
}

/** A client that has not connected. */
export function clientOf(address: PostgresAddress, options: pg.ClientConfig): pg.Client {
  return new pg.Client({ ...address, ...options })
}

/** For errors: which server and database, and as whom. */
export function placeOf({ host, port, database, user }: pg.Client): string {
  const server = host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`
  return `${server}, database ${database}, as ${user}`
}
